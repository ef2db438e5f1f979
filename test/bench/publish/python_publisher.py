"""Publishes with Pulsar's own Python client what work.ts describes, and prints the answer it describes."""

import json
import os
import resource
import sys
import threading
import time

import pulsar

work = json.loads(sys.argv[1])
values = [os.urandom(work["bytes"]) for _ in range(100)]


class Settled:
    """Counts receipts; the client calls back on a thread of its own."""

    def __init__(self, count):
        self.left = count
        self.stored = 0
        self.done = threading.Event()

    def take(self, result):
        if result == pulsar.Result.Ok:
            self.stored += 1
        self.left -= 1
        if self.left == 0:
            self.done.set()


def send(producer, index, callback):
    which = index % len(values)
    producer.send_async(
        values[which],
        callback,
        partition_key=f"partition-key-{which}",
        event_timestamp=1_700_000_000_000 + which,
        properties={
            "kinesis.arrival.timestamp": "1700000000000",
            "kinesis.encryption.type": "NONE",
            "kinesis.partition.key": f"partition-key-{which}",
            "kinesis.sequence.number": f"4954498589532768542{which}",
        },
    )


def publish(producer, count):
    settled = Settled(count)
    for index in range(count):
        send(producer, index, lambda result, _id: settled.take(result))
    producer.flush()
    settled.done.wait()
    return settled.stored


def pace(producer, count, rate):
    """Sends what is due each millisecond or so, however late the timer is."""
    settled = Settled(count)
    latencies = []

    def sent_at(now):
        def arrived(result, _id):
            if result == pulsar.Result.Ok:
                latencies.append((time.perf_counter() - now) * 1_000)
            settled.take(result)

        return arrived

    start = time.perf_counter()
    sent = 0
    while sent < count:
        due = min(count, int((time.perf_counter() - start) * rate))
        for index in range(sent, due):
            send(producer, index, sent_at(time.perf_counter()))
        sent = due
        time.sleep(0.001)
    producer.flush()
    settled.done.wait()
    return latencies


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


client = pulsar.Client(work["url"], io_threads=1, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
producer = client.create_producer(
    work["topic"],
    compression_type=getattr(pulsar.CompressionType, work["compression"]),
    batching_enabled=work["batching"],
    batching_max_messages=1_000,
    batching_max_allowed_size_in_bytes=131_072,
    batching_max_publish_delay_ms=10,
    max_pending_messages=work["pending"],
    block_if_queue_full=True,
    send_timeout_millis=0,
)
publish(producer, work["warmUp"])
cpu = cpu_seconds()
start = time.perf_counter()
stored = publish(producer, work["messages"])
answer = {
    "stored": stored,
    "wallSeconds": time.perf_counter() - start,
    "cpuSeconds": cpu_seconds() - cpu,
    "peakResidentBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024,
    "latenciesMs": pace(producer, work["paced"], work["rate"]),
}
client.close()
print(json.dumps(answer))
