"""What the user follows: trackers.yaml, and which trackers a text matches."""

from voxlake.trackers.trackers import Tracker, Trackers, TrackersError, load_trackers

__all__ = ["Tracker", "Trackers", "TrackersError", "load_trackers"]
