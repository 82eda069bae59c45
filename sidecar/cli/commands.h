// What each subcommand does, once its options are parsed. Each returns the process's exit code; results go to standard
// output, messages to standard error.
#ifndef ZRS_SIDECAR_CLI_COMMANDS_H_
#define ZRS_SIDECAR_CLI_COMMANDS_H_

#include <cstdint>
#include <string>

namespace zrs::cli {

// 0 after an orderly stop; 1 when it could not start; 2 for a configuration that is wrong.
int RunCommand(const std::string& config);

// 0 when it is up in the background, or was already; 1 when it could not start, and says why; 2 for a configuration
// that is wrong. Without a log-file its messages go to zrs.log in the state directory.
int StartCommand(const std::string& config);

// 0 when it has stopped, or did not run; 1 when it still runs, or may not be stopped; 2 for a wrong configuration.
int StopCommand(const std::string& config);

// `service`: "" for the process, "zrs.storage.NAME" or NAME for one storage. 0 when it is SERVING; 1 when NOT_SERVING,
// or when zrs could not be asked; 2 for an unknown service and a wrong configuration.
int HealthCommand(const std::string& config, const std::string& service);

struct WaitOptions {
  std::string storage;    // empty: all
  uint32_t replicas = 0;  // 0: all that are connected, at least one
  double timeout = 0;     // seconds; 0: no limit
};
// 0 when enough followers have it; 1 when the time is over or no follower is there; 2 on a secondary, for an unknown
// storage and a wrong configuration.
int WaitCommand(const std::string& config, const WaitOptions& options);

// `storage`: empty for all secondaries. 0 when their copies stay as they are (go on again); 1 when zrs could not be
// asked; 2 for a primary, an unknown storage and a wrong configuration.
int PauseCommand(const std::string& config, const std::string& storage);
int ResumeCommand(const std::string& config, const std::string& storage);

int VersionCommand();

}  // namespace zrs::cli

#endif  // ZRS_SIDECAR_CLI_COMMANDS_H_
