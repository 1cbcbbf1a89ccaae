#!/usr/bin/env bash
# NATS JetStream 2.9.10: a message of a work queue that has used up `max_deliver` is neither gone nor dead-lettered nor counted.
#
# The guess: after the last delivery a work queue drops the message, or moves it somewhere, as brokers with a limit on deliveries do; or it is
# still "pending". What happens: it stays in the stream for ever. The consumer's figures all say that nothing is left (num_pending 0, num_ack_pending 0), the
# stream's still count it, the consumer's ack floor never passes it although everything after it is acknowledged, and a consumer that is
# made anew under the same configuration is handed it again as a first delivery. Whoever watches the consumer's lag sees an empty queue.
source "$(dirname "$0")/support/packages.sh"
unpack nats-server=2.9.10-1+b3
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet nats-py==2.9.0
"$(find "$work/root" -type f -name nats-server | sed -n 1p)" -a 127.0.0.1 -p 42221 -js -sd "$work/store" >"$work/server.log" 2>&1 &
running+=($!)
sleep 1
"$work/venv/bin/python" - <<'PYTHON'
import asyncio, sys
import nats
from nats.js.api import AckPolicy, ConsumerConfig, RetentionPolicy

async def main():
    connection = await nats.connect("nats://127.0.0.1:42221")
    js = connection.jetstream()
    await js.add_stream(name="work", subjects=["work.*"], retention=RetentionPolicy.WORK_QUEUE)
    config = dict(ack_policy=AckPolicy.EXPLICIT, ack_wait=1, max_deliver=2, filter_subject="work.*")
    await js.add_consumer("work", ConsumerConfig(durable_name="first", **config))
    for body in (b"never acknowledged", b"fine", b"fine too"):
        await js.publish("work.do", body)

    async def take(consumer, tries):
        subscription, taken = await js.pull_subscribe("work.*", durable=consumer, stream="work"), []
        for _ in range(tries):
            try:
                for message in await subscription.fetch(1, timeout=1.5):
                    taken.append((message.data.decode(), message.metadata.num_delivered))
                    if message.data != b"never acknowledged":
                        await message.ack_sync()
            except nats.errors.TimeoutError:
                pass
        return taken

    taken = await take("first", 7)
    info, stream = await js.consumer_info("work", "first"), await js.stream_info("work")
    print("nats-server", connection.connected_server_version)
    print("deliveries:", taken)
    print(f"consumer: pending {info.num_pending}, unacknowledged {info.num_ack_pending}, ack floor {info.ack_floor.stream_seq}; stream: {stream.state.messages} message")
    await js.delete_consumer("work", "first")
    await js.add_consumer("work", ConsumerConfig(durable_name="second", **config))
    again = await take("second", 1)
    print("a consumer made anew is handed:", again)
    await connection.close()
    as_stated = (
        [d for d in taken if d[0] == "never acknowledged"] == [("never acknowledged", 1), ("never acknowledged", 2)]
        and (info.num_pending, info.num_ack_pending, info.ack_floor.stream_seq, stream.state.messages) == (0, 0, 0, 1)
        and again == [("never acknowledged", 1)])
    return as_stated

sys.exit(0 if asyncio.run(main()) else "CHANGED: not as stated")
PYTHON
echo "as stated"
