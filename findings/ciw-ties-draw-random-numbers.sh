#!/usr/bin/env bash
# Ciw 3.2.7: events at one instant at different nodes happen in an order that is drawn from the global random numbers.
#
# The guess: a network in which everything is `Deterministic` has one outcome, whatever the seed, and adding a deterministic part to a model draws
# nothing. What happens: when two nodes have an event at the same instant, `random` chooses between them. So an all-deterministic network gives
# other waiting times under other seeds; and two unconnected deterministic nodes beside an M/M/1 change the waits of *its* customers under the same seed
# if their instants coincide, and leave them alone if they never do. Round numbers in a model make such ties common.
source "$(dirname "$0")/support/packages.sh"
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet ciw==3.2.7
"$work/venv/bin/python" - <<'PYTHON'
import ciw, sys

D, E = ciw.dists.Deterministic, ciw.dists.Exponential

def joined(seed):
    """Two streams at the same instants, through equal stations, into one desk: who waits there?"""
    network = ciw.create_network(
        arrival_distributions=[D(1.0), D(1.0), None], service_distributions=[D(0.25), D(0.25), D(0.1)], number_of_servers=[1, 1, 1],
        routing=[[0.0, 0.0, 1.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    ciw.seed(seed)
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_time(20)
    desk = sorted((r for r in simulation.get_all_records() if r.node == 3), key=lambda r: r.service_start_date)
    return [r.id_number for r in desk]

def waits(beside):
    """The M/M/1's first waits, with deterministic nodes beside it that nothing connects to it."""
    n = 1 + len(beside)
    network = ciw.create_network(
        arrival_distributions=[E(0.5)] + [D(gap) for gap in beside], service_distributions=[E(1.0)] + [D(0.3)] * len(beside),
        number_of_servers=[1] * n, routing=[[0.0] * n for _ in range(n)])
    ciw.seed(1)
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_time(200)
    own = sorted((r for r in simulation.get_all_records() if r.node == 1), key=lambda r: r.arrival_date)
    return [round(r.waiting_time, 6) for r in own[:50]]

orders = {tuple(joined(seed)) for seed in range(1, 6)}
alone, apart, together = waits([]), waits([7.0, 7.0 * 2 ** 0.5]), waits([7.0, 7.0])
print("ciw", ciw.__version__)
print(f"an all-deterministic network under five seeds: {len(orders)} different orders")
print(f"M/M/1 beside deterministic nodes that never tie: {'the same waits' if apart == alone else 'other waits'}")
print(f"M/M/1 beside deterministic nodes that tie:       {'the same waits' if together == alone else 'other waits'}")
sys.exit(0 if len(orders) > 1 and apart == alone and together != alone else "CHANGED: not as stated")
PYTHON
echo "as stated"
