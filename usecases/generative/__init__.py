"""The generative core that use cases share: flow matching."""
