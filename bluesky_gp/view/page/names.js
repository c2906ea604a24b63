// Names of runs in lists.

const words = (run) => `${run.scan_id ?? ""} ${run.target ?? run.plan_name}`;

// Number and target; where another run has the same, as after every start of a session, the first letters of its uid too.
export function nameOf(run, runs) {
  const isAlike = runs.some((other) => other.uid !== run.uid && words(other) === words(run));
  return isAlike ? `${words(run)} · ${run.uid.slice(0, 8)}` : words(run);
}
