"""What is measured: one definition each for the HTML report and for QuickSight's dashboard."""

from voxlake.measures.data_sets import DATA_SETS, DataSet
from voxlake.measures.definitions import MEASURES, Measure, of_rows
from voxlake.measures.sheets import SHEETS, Sheet, Visual

__all__ = ["DATA_SETS", "MEASURES", "SHEETS", "DataSet", "Measure", "Sheet", "Visual", "of_rows"]
