"""Step Functions: standard state machines in JSONPath Amazon States Language."""
