"""CloudFormation: deploys a cloud assembly through the API calls of the services."""
