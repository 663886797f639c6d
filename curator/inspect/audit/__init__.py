"""The audit of a published set: what leaks from side to side, which labels contradict, what gives them away."""
