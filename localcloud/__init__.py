"""The laptop cloud: the part of AWS that a synthesised CDK template uses, in one local process."""
