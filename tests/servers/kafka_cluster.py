"""Three real Kafka brokers that are one cluster: topics with three replicas, of which two must have what is acknowledged."""

from contextlib import ExitStack
from pathlib import Path

from .kafka import Kafka
from .ports import free_port
from .waiting import wait_until

NODES = (1, 2, 3)
SETTINGS = {
    "default.replication.factor": 3, "min.insync.replicas": 2, "offsets.topic.replication.factor": 3,
    "transaction.state.log.replication.factor": 3, "transaction.state.log.min.isr": 2,
    "controller.quorum.election.timeout.ms": 1000, "controller.quorum.fetch.timeout.ms": 2000,
}


class KafkaCluster:
    """`nodes[1..3]` are servers.kafka.Kafka: each may be killed, frozen and started alone."""

    def __init__(self, folder):
        voters = {node: free_port() for node in NODES}
        self.nodes = {node: Kafka(Path(folder) / f"kafka-{node}", settings=SETTINGS, node=node, voters=voters) for node in NODES}
        self.brokers = ",".join(node.brokers for node in self.nodes.values())

    def __enter__(self):
        with ExitStack() as stack:
            for node in self.nodes.values():
                stack.callback(node.stop)
            self.start(*NODES)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def start(self, *which):
        """Starts them together (none is ready before most are), and waits until each knows all."""
        for node in which:
            self.nodes[node].launch()
        for node in which:
            self.nodes[node].wait_ready()

    def create_topic(self, name, **config):
        self.nodes[1].create_topic(name, config=config, replicas=3)
        wait_until(lambda: self.leader(name) in NODES, 20, f"a leader of {name}")

    def leader(self, topic, asked=1):
        """The node that leads the topic's only partition, as another sees it."""
        return self.nodes[asked].leader(topic)
