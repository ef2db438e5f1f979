/**
 * What is promised about each record, by Pulsar's names.
 *
 * `ATMOST_ONCE`: acknowledged before it is sent. `ATLEAST_ONCE`: acknowledged when Pulsar confirmed it.
 * `EFFECTIVELY_ONCE`: that, and a repeated record is stored once, if it repeats its `partitionId` and `recordSequence`.
 * `MANUAL`: the source settles its records itself; the host never does.
 */
export type Guarantee = "ATMOST_ONCE" | "ATLEAST_ONCE" | "EFFECTIVELY_ONCE" | "MANUAL";
