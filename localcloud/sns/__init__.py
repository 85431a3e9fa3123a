"""SNS: deliveries to people, which moto does not make."""
