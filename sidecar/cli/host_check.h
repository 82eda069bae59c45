// Whether this host is ready for a configuration: the directories and files that it names.
#ifndef ZRS_SIDECAR_CLI_HOST_CHECK_H_
#define ZRS_SIDECAR_CLI_HOST_CHECK_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "sidecar/config/settings.h"

namespace zrs::cli {

struct Problem {
  std::string message;
  std::string remedy;
};

// Of an error whose remedy is behind the first "; ".
Problem ProblemOf(const absl::Status& error);

struct HostReport {
  std::vector<Problem> problems;   // what would keep zrs, or the database after a failover, from working
  std::vector<std::string> notes;  // what is as it may be, but perhaps not as it was meant
};

// Everything that is found, as the user who runs this, who should be the one that runs zrs; the copies' files and
// directories also as their `owner`, which only root can try. Changes nothing. No other thread may run.
HostReport CheckHost(const config::Settings& settings);

}  // namespace zrs::cli

#endif  // ZRS_SIDECAR_CLI_HOST_CHECK_H_
