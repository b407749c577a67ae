"""A real Apache Kafka broker (KRaft), from Maven Central's jars: one node, or one of a cluster (kafka_cluster.py)."""

import fcntl
import itertools
import os
import re
import secrets
import shutil
import sys
from pathlib import Path

from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

from .ports import free_port
from .process import Process, run
from .waiting import wait_until

VERSION = "3.9.1"
JAVA = ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]


def cache_folder():
    """Where downloads are kept: outside the build folder, so that a second run fetches nothing."""
    folder = os.environ.get("SLOSONDE_CACHE") or os.path.join(os.path.expanduser("~"), ".cache", "slosonde")
    return Path(folder)


def fetch():
    """The folder of the broker's jars, filled from Maven Central the first time."""
    home = cache_folder() / f"kafka-{VERSION}"
    lib, done, pom = home / "lib", home / "fetched.xml", Path(__file__).parent / "kafka-pom.xml"
    home.mkdir(parents=True, exist_ok=True)
    with open(home / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists() or done.read_bytes() != pom.read_bytes():
            shutil.rmtree(lib, ignore_errors=True)
            result = run(["mvn", "-q", "-B", "-f", pom, "dependency:copy-dependencies", f"-DoutputDirectory={lib}"],
                         deadline=600)
            if result.returncode != 0:
                raise RuntimeError("Maven could not fetch the Kafka broker; it needs the network once. It said:\n"
                                   + result.stdout[-3000:] + result.stderr[-3000:])
            shutil.copyfile(pom, done)
        if not (home / "formatted").exists():
            _format(home)
    return home


def _format(home):
    """Formats a storage folder once; brokers start on copies of it, which saves a JVM start each time."""
    scratch = home / "formatting"
    shutil.rmtree(scratch, ignore_errors=True)
    (scratch / "data").mkdir(parents=True)
    properties = scratch / "server.properties"
    properties.write_text("process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@127.0.0.1:1\n"
                          "listeners=PLAINTEXT://127.0.0.1:2,CONTROLLER://127.0.0.1:1\n"
                          f"controller.listener.names=CONTROLLER\nlog.dirs={scratch / 'data'}\n", encoding="utf-8")
    result = run([*JAVA, "-cp", f"{home}/lib/*", "kafka.tools.StorageTool", "format", "-t", "c2xvc29uZGUtdGVzdC0xMg",
                  "-c", properties], deadline=120)
    if result.returncode != 0:
        raise RuntimeError(f"Kafka's storage could not be formatted:\n{result.stdout}{result.stderr}")
    (scratch / "data").rename(home / "formatted")
    shutil.rmtree(scratch)


def _plain_login(users):
    all_users = " ".join(f'user_{user}="{password}"' for user, password in users.items())
    return f"org.apache.kafka.common.security.plain.PlainLoginModule required {all_users};"


class Kafka:
    """One broker. `brokers` is its plain address; `sasl` and `tls` are those of the other listeners when asked for.

    sasl_users: {"user": "password"} adds a SASL_PLAINTEXT listener with the PLAIN mechanism; with a certificate a
    SASL_SSL one as well, `sasl_tls`, which knows SCRAM too (add_scram_users() tells the broker the passwords).
    certificate: a servers.tls.Certificate adds a TLS listener; with client_ca (a servers.tls.Authority) it demands
    a client certificate of that authority.
    settings: further server.properties, which win.
    node, voters: of a cluster; {node: controller port} of all its nodes.
    """

    def __init__(self, folder, partitions=1, sasl_users=None, certificate=None, client_ca=None, settings=None, node=1,
                 voters=None):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.home = fetch()
        self.node, self.voters = node, voters or {1: free_port()}
        self.port = free_port()
        self.sasl_port = free_port() if sasl_users else None
        self.tls_port = free_port() if certificate else None
        self.sasl_tls_port = free_port() if sasl_users and certificate else None
        self.sasl_users = sasl_users or {}
        self.brokers = f"127.0.0.1:{self.port}"
        self.sasl = f"127.0.0.1:{self.sasl_port}"
        self.tls = f"localhost:{self.tls_port}"
        self.sasl_tls = f"localhost:{self.sasl_tls_port}"
        self.process = None
        self._producer = self._admin_client = None
        shutil.copytree(self.home / "formatted", self.folder / "data")
        self._take_identity()
        self._write_properties(partitions, sasl_users, certificate, client_ca, settings or {})

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        """Starts it, on the same ports and data as before, and waits until it answers."""
        self.launch()
        self.wait_ready()

    def launch(self):
        command = [*JAVA, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{self.home}/lib/*", "kafka.Kafka",
                   self.folder / "server.properties"]
        self.process = Process(command, self.folder / "kafka.log", name="kafka")

    def wait_ready(self):
        self.process.wait_ready(self.answers, deadline=90)

    def stop(self):
        """Stops it in order; the data stays."""
        if self.process:
            self.process.stop(grace=30)
            self.process = None

    def kill(self):
        """Ends it at once; the data stays."""
        self.process.kill()
        self.process = None

    def answers(self):
        """Whether the broker gives its metadata, and knows all brokers."""
        probe = AdminClient({"bootstrap.servers": self.brokers, "log_level": 0, "socket.timeout.ms": 2000})
        return len(probe.list_topics(timeout=1).brokers) == len(self.voters)

    def create_topic(self, name, partitions=1, config=None, replicas=1):
        futures = self._admin().create_topics([NewTopic(name, partitions, replicas, config=config or {})])
        futures[name].result(20)
        wait_until(lambda: len(self._admin().list_topics(name, 5).topics[name].partitions) == partitions, 20,
                   f"topic {name} to have {partitions} partitions")

    def leader(self, topic, partition=0):
        """The number of the node that leads the partition, as this one sees it; -1 for none."""
        return self._admin().list_topics(topic, 5).topics[topic].partitions[partition].leader

    def add_partitions(self, name, total):
        self._admin().create_partitions([NewPartitions(name, total)])[name].result(20)
        self._producer = None  # it would know the old number for minutes

    def delete_topic(self, name):
        self._admin().delete_topics([name])[name].result(20)

    def add_scram_users(self, mechanisms=("SCRAM-SHA-256", "SCRAM-SHA-512")):
        """For each of sasl_users, with its password. Takes a JVM's start for each and mechanism."""
        for (user, password), mechanism in itertools.product(self.sasl_users.items(), mechanisms):
            result = run([*JAVA, "-cp", f"{self.home}/lib/*", "kafka.admin.ConfigCommand", "--bootstrap-server",
                          self.brokers, "--alter", "--entity-type", "users", "--entity-name", user, "--add-config",
                          f"{mechanism}=[iterations=4096,password={password}]"], deadline=60)
            if result.returncode != 0:
                raise AssertionError(f"Kafka took no SCRAM user: {result.stdout}{result.stderr}")

    def produce(self, topic, value, key=None, partition=None, headers=None, deadline=20.0):
        """Sends one message and waits for the broker's word; gives (partition, offset)."""
        if self._producer is None:
            self._producer = Producer({"bootstrap.servers": self.brokers, "linger.ms": 0, "log_level": 0})
        done = []
        options = {} if partition is None else {"partition": partition}
        self._producer.produce(topic, value, key, headers=headers, on_delivery=lambda *word: done.append(word), **options)
        if self._producer.flush(deadline) != 0 or not done:
            raise AssertionError(f"Kafka did not confirm a message for {topic} within {deadline:g} s")
        error, message = done[0]
        if error:
            raise AssertionError(f"Kafka refused a message for {topic}: {error}")
        return message.partition(), message.offset()

    def messages(self, topic):
        """All that is in the topic now, as confluent_kafka.Message (value(), key(), headers(), partition(), offset())."""
        reader = Consumer({"bootstrap.servers": self.brokers, "group.id": "tests", "enable.auto.commit": False,
                           "enable.partition.eof": True, "fetch.wait.max.ms": 10, "log_level": 0})
        try:
            parts = reader.list_topics(topic, 10).topics[topic].partitions
            reader.assign([TopicPartition(topic, part, 0) for part in parts])
            found, at_end = [], set()
            while len(at_end) < len(parts):
                message = reader.poll(20)
                assert message is not None, f"Kafka gave neither a message nor the end of {topic} within 20 s"
                if not message.error():
                    found.append(message)
                elif message.error().code() == KafkaError._PARTITION_EOF:  # pylint: disable=protected-access
                    at_end.add(message.partition())
                else:
                    raise AssertionError(f"reading {topic}: {message.error()}")
            return found
        finally:
            reader.close()

    def _admin(self):
        if self._admin_client is None:
            self._admin_client = AdminClient({"bootstrap.servers": self.brokers, "log_level": 0})
        return self._admin_client

    def _take_identity(self):
        """The storage was formatted for node 1; a node's folder bears its number, and one of its own."""
        meta = self.folder / "data" / "meta.properties"
        text = re.sub(r"^node\.id=.*$", f"node.id={self.node}", meta.read_text(encoding="ascii"), flags=re.M)
        text = re.sub(r"^directory\.id=.*$", f"directory.id={secrets.token_urlsafe(16)}", text, flags=re.M)
        meta.write_text(text, encoding="ascii")

    def _keystore(self, listener, certificate):
        keystore = self.folder / "keystore.pem"
        keystore.write_text(certificate.key_file.read_text() + certificate.file.read_text(), encoding="ascii")
        prefix = f"listener.name.{listener}.ssl.keystore"
        return {f"{prefix}.type": "PEM", f"{prefix}.location": keystore}

    def _write_properties(self, partitions, sasl_users, certificate, client_ca, settings):
        listeners = {"PLAINTEXT": (self.brokers, "PLAINTEXT")}
        values = {
            "process.roles": "broker,controller", "node.id": self.node, "log.dirs": self.folder / "data",
            "controller.quorum.voters": ",".join(f"{node}@127.0.0.1:{port}" for node, port in self.voters.items()),
            "controller.listener.names": "CONTROLLER", "inter.broker.listener.name": "PLAINTEXT",
            "num.partitions": partitions, "auto.create.topics.enable": "true",
            "offsets.topic.replication.factor": 1, "offsets.topic.num.partitions": 1,
            "transaction.state.log.replication.factor": 1, "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 1, "group.initial.rebalance.delay.ms": 0,
            # After a kill the new process may register only once the old one's session has ended (9 s by default).
            "broker.session.timeout.ms": 5000, "broker.heartbeat.interval.ms": 500,
        }
        if sasl_users:
            listeners["SASL"] = (self.sasl, "SASL_PLAINTEXT")
            values["listener.name.sasl.sasl.enabled.mechanisms"] = "PLAIN"
            values["listener.name.sasl.plain.sasl.jaas.config"] = _plain_login(sasl_users)
        if certificate:
            listeners["TLS"] = (self.tls, "SSL")
            values.update(self._keystore("tls", certificate))
        if sasl_users and certificate:
            listeners["SASLTLS"] = (self.sasl_tls, "SASL_SSL")
            values.update(self._keystore("sasltls", certificate))
            values["listener.name.sasltls.sasl.enabled.mechanisms"] = "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512"
            values["listener.name.sasltls.plain.sasl.jaas.config"] = _plain_login(sasl_users)
            for bits in (256, 512):
                values[f"listener.name.sasltls.scram-sha-{bits}.sasl.jaas.config"] = (
                    "org.apache.kafka.common.security.scram.ScramLoginModule required;")
        if client_ca:
            values["listener.name.tls.ssl.client.auth"] = "required"
            values["listener.name.tls.ssl.truststore.type"] = "PEM"
            values["listener.name.tls.ssl.truststore.location"] = client_ca.file
        values["advertised.listeners"] = ",".join(f"{name}://{at}" for name, (at, _) in listeners.items())
        listeners["CONTROLLER"] = (f"127.0.0.1:{self.voters[self.node]}", "PLAINTEXT")
        values["listeners"] = ",".join(f"{name}://{at}" for name, (at, _) in listeners.items())
        values["listener.security.protocol.map"] = ",".join(f"{name}:{kind}" for name, (_, kind) in listeners.items())
        values.update(settings)
        text = "".join(f"{key}={value}\n" for key, value in values.items())
        (self.folder / "server.properties").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    # `python3 -m servers.kafka fetch`, so that the tests themselves need no network.
    if sys.argv[1:] != ["fetch"]:
        sys.exit("usage: python3 -m servers.kafka fetch")
    print(f"Kafka {VERSION} is in {fetch()}")
