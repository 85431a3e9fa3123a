"""The report: one self-contained HTML file made from the warehouse's answers."""
