"""The fixtures every pytest suite shares: real servers, and their logs in the failure message.

    def test_x(kafka, nginx, slosonde): ...

kafka     a broker for the whole session (topics are yours to name: take a new one in each test)
own_kafka a factory of brokers for this test alone, to be stopped and started: own_kafka(partitions=3, sasl_users={…})
nginx     a factory: nginx("location / { return 200 'ok'; }", tls=…)
authority a certificate authority for the session: authority.server(), .expired(), .wrong_name(), .client()
prometheus a factory: prometheus([port, …], rules=[…])
slosonde  a factory: slosonde(config) starts the probe and waits until it is ready
"""

from contextlib import ExitStack

import pytest

from servers.kafka import Kafka
from servers.nginx import Nginx
from servers.process import KEPT_LOG, Process
from servers.prometheus import Prometheus
from servers.slosonde import Slosonde
from servers.tls import Authority


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for process in Process.current:
            state = "running" if process.alive() else f"ended with {process.popen.returncode}"
            report.sections.append((f"log of {process.name} ({state})", process.log(KEPT_LOG)))
    if report.when == "teardown":
        Process.forget_ended()


def _factory(stack, make):
    count = [0]

    def made(*arguments, **options):
        count[0] += 1
        return stack.enter_context(make(count[0], *arguments, **options))

    return made


@pytest.fixture(scope="session")
def kafka(tmp_path_factory):
    with Kafka(tmp_path_factory.mktemp("kafka") / "broker") as broker:
        yield broker


@pytest.fixture
def own_kafka(tmp_path):
    with ExitStack() as stack:
        yield _factory(stack, lambda n, **options: Kafka(tmp_path / f"kafka-{n}", **options))


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def nginx(tmp_path):
    with ExitStack() as stack:
        yield _factory(stack, lambda n, *a, **options: Nginx(tmp_path / f"nginx-{n}", *a, **options))


@pytest.fixture
def prometheus(tmp_path):
    with ExitStack() as stack:
        yield _factory(stack, lambda n, *a, **options: Prometheus(tmp_path / f"prometheus-{n}", *a, **options))


@pytest.fixture
def slosonde(tmp_path):
    with ExitStack() as stack:
        yield _factory(stack, lambda n, *a, **options: Slosonde(tmp_path / f"slosonde-{n}", *a, **options))
