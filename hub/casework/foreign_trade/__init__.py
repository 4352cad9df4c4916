"""Article 十三: notifications between agencies, adverse behaviour abroad, performance of investment contracts."""
