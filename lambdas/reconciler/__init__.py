"""Checks that nothing is lost and nothing counted twice, and repairs what can be repaired."""
