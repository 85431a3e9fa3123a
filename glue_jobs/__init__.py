"""Glue jobs, one file each, named source_to_target; ``common`` ships beside voxlake to all."""
