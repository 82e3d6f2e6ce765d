"""The message broker: topology, deliveries, dead letters; the only importer of pika."""

from etlnarr.broker.connection import FAILED, Delivery, Link, linked
from etlnarr.broker.dead_letters import Letter, peek, purge, requeue
from etlnarr.broker.deliveries import acknowledge, bury, consume, pumped, retry, take, waits
from etlnarr.broker.publishing import announce
from etlnarr.broker.topology import binding, depth, depths, set_up

__all__ = [
    "FAILED",
    "Delivery",
    "Letter",
    "Link",
    "acknowledge",
    "announce",
    "binding",
    "bury",
    "consume",
    "depth",
    "depths",
    "linked",
    "peek",
    "pumped",
    "purge",
    "requeue",
    "retry",
    "set_up",
    "take",
    "waits",
]
