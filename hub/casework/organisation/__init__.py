"""Articles 十五 to 十七: plans, honest models, trainings."""
