"""What is published travels: channels, deliveries with their receipts, alarms on what is late (R7.5, R8.6)."""
