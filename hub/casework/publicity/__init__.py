"""Article 七: publicity (信用公示) within seven working days, and its end."""
