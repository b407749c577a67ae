"""Real servers for the tests: each starts on loopback and a free port, is waited for by asking, and is stopped by pid.

    from servers.kafka import Kafka
    with Kafka(tmp_path) as broker: ...

Most tests take the fixtures of tests/conftest.py instead.
"""
