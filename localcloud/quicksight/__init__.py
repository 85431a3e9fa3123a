"""QuickSight: data sources on Athena, data sets, analyses, dashboards; nothing is drawn."""
