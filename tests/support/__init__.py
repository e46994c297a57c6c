"""What the scenario tests share: a real sluiced on free ports, its API, DNS clients, fake agents.

Python's standard library alone. Nothing here sleeps for a fixed time: `eventually` asks until a
condition holds, within a bound. Every process that is started is gone when the test is.
"""
