"""The command line: thin verbs over AWS's API, on the laptop cloud or on a deployed stage."""
