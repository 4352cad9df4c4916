"""Article 四: the catalogue of licences and penalties (双公示), its review, its versions, its coverage."""
