from .grouping import FeatureGroups as FeatureGroups
from .grouping import feature_groups as feature_groups
from .placed_image import Overview as Overview
from .planes import Planes as Planes
