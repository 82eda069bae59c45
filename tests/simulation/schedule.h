// One simulation: what a seed makes happen, and whether the project's rules held.
#ifndef ZRS_TESTS_SIMULATION_SCHEDULE_H_
#define ZRS_TESTS_SIMULATION_SCHEDULE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/simulation/checker.h"
#include "tests/simulation/event_log.h"
#include "tests/simulation/event_queue.h"
#include "tests/simulation/node.h"
#include "tests/simulation/simulated_network.h"
#include "tests/simulation/simulated_writer.h"

namespace zrs::simulation {

// What is wrong with the program under test, to see whether the simulation notices. None of these is a fault that the
// project has to bear.
struct Sabotage {
  FileSystemLies primary;
  FileSystemLies secondary;
  bool acknowledge_early = false;
  bool count_received = false;
  bool ignore_generations = false;
  bool ask_nobody = false;
  bool ignore_databases = false;
};

struct ScheduleOptions {
  uint64_t seed = 1;
  absl::Duration longest_faults = absl::Seconds(30);  // a third of it at least, before everything is healed
  absl::Duration heal_time = absl::Seconds(180);      // in which all copies have to become equal
  bool failing_syncs = false;                         // the secondaries' disks fail now and then
  bool failing_disks = false;                         // any file operation fails now and then
  bool several_upstreams = false;  // there are three nodes or more, and each knows all (else in some runs)
  bool packs = true;
  bool promotions = true;
  bool backups = false;     // an older backup takes the place of the primary's file now and then
  bool restores = true;     // the database goes on from one
  bool lost_states = true;  // a state directory is emptied now and then
  bool deaf = false;        // no file notification ever arrives, and polls are 15 s apart
  size_t log_lines = 400;
  bool log_if_good = false;  // else the result has a log only where a rule was broken
  Sabotage sabotage;
};

struct ScheduleResult {
  std::string violation;  // empty: every rule held
  std::string log;        // what happened, newest last; see log_if_good
  uint64_t transactions = 0;
  uint64_t bytes = 0;  // of the primary's file at the end
  uint64_t batches = 0;
  uint64_t crashes = 0;  // of processes and hosts
  uint64_t events = 0;
  uint64_t packs = 0;
  uint64_t refused_backups = 0;    // how often the primary was seen to be diverged for one
  uint64_t restores = 0;           // of backups from which the database went on
  uint64_t lost_by_primaries = 0;  // state directories
  uint64_t lost_by_secondaries = 0;
  uint64_t told = 0;        // how often somebody had to say which database a file is
  uint64_t new_copies = 0;  // that a person had to have made
  uint64_t resyncs = 0;     // that came to an end
  uint64_t waits = 0;       // that were told that followers have it
  uint64_t promotions = 0;
};

// Runs one simulation; the same options give the same result.
ScheduleResult RunSchedule(const ScheduleOptions& options);

}  // namespace zrs::simulation

#endif  // ZRS_TESTS_SIMULATION_SCHEDULE_H_
