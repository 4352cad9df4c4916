"""What is published travels: channels, deliveries with their receipts, alarms on what is late."""
