// zrs: parses the command line.
#include <malloc.h>

#include <CLI/CLI.hpp>
#include <string>

#include "sidecar/cli/check_config.h"
#include "sidecar/cli/commands.h"
#include "sidecar/cli/status_command.h"
#include "sidecar/cli/verify_command.h"

namespace {

constexpr int kUsage = 2;

// Batches of 256 KiB come and go: with glibc's defaults each is a mapping of its own, whose pages are faulted in anew,
// and each thread keeps an arena. `tests/bench/run.sh --only copy` tells the difference: about an eighth of the time.
void TuneAllocator() {
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
  mallopt(M_ARENA_MAX, 2);
}

int Main(int argc, char** argv) {
  CLI::App app("zrs, the Zope Replication Service: live, byte-for-byte copies of a ZODB FileStorage on other hosts.");
  app.require_subcommand(1);
  int exit_code = 0;

  std::string config = "/etc/zrs/zrs.conf";
  const auto add_config = [&config](CLI::App* command) {
    command->add_option("--config", config, "the configuration file")->capture_default_str();
  };

  CLI::App* run = app.add_subcommand("run", "replicate, in the foreground, until SIGTERM or SIGINT");
  add_config(run);
  run->callback([&] { exit_code = zrs::cli::RunCommand(config); });

  CLI::App* start = app.add_subcommand("start", "replicate in the background; returns when it is up");
  add_config(start);
  start->callback([&] { exit_code = zrs::cli::StartCommand(config); });

  CLI::App* stop = app.add_subcommand("stop", "stop what runs, and wait until it has stopped");
  add_config(stop);
  stop->callback([&] { exit_code = zrs::cli::StopCommand(config); });

  CLI::App* health = app.add_subcommand("health", "for scripts: exit code 0 when it is SERVING, else 1");
  std::string service;
  add_config(health);
  health->add_option("--service", service, "zrs.storage.NAME for one storage (default: the process)");
  health->callback([&] { exit_code = zrs::cli::HealthCommand(config, service); });

  CLI::App* check = app.add_subcommand(
      "check-config", "print the effective settings, and what is wrong with them or with this host; changes nothing");
  bool check_json = false;
  CLI::Option* positional = check->add_option("FILE", config, "the configuration file")->capture_default_str();
  check->add_option("--config", config, "the same")->excludes(positional);
  check->add_flag("--json", check_json, "as JSON, for programs");
  check->callback([&] { exit_code = zrs::cli::CheckConfigCommand(config, check_json); });

  CLI::App* status = app.add_subcommand("status", "tell how each storage of a running zrs is doing");
  zrs::cli::StatusOptions status_options;
  add_config(status);
  status->add_flag("--json", status_options.json, "as JSON, for programs");
  status->add_flag("--watch", status_options.watch, "again each second, until it is interrupted");
  status->callback([&] { exit_code = zrs::cli::StatusCommand(config, status_options); });

  CLI::App* wait = app.add_subcommand(
      "wait", "on a primary: wait until followers have what is committed now, durable on their disks");
  zrs::cli::WaitOptions wait_options;
  bool all = false;
  add_config(wait);
  CLI::Option* storage = wait->add_option("--storage", wait_options.storage, "this storage alone");
  wait->add_flag("--all", all, "all storages (the default)")->excludes(storage);
  wait->add_option("--replicas", wait_options.replicas, "so many followers (default: all connected, at least one)")
      ->check(CLI::PositiveNumber);
  wait->add_option("--timeout", wait_options.timeout, "seconds to wait at most (default: no limit)")
      ->check(CLI::PositiveNumber);
  wait->callback([&] { exit_code = zrs::cli::WaitCommand(config, wait_options); });

  CLI::App* verify = app.add_subcommand("verify", "check a data file from beginning to end; it is only read");
  std::string file;
  bool verify_json = false;
  verify->add_option("FILE", file, "the data file: a primary's, or a copy")->required();
  verify->add_flag("--json", verify_json, "as JSON, for programs");
  verify->callback([&] { exit_code = zrs::cli::VerifyCommand(file, verify_json); });

  app.add_subcommand("version", "print the version")->callback([&] { exit_code = zrs::cli::VersionCommand(); });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help is a success; everything else is wrong usage.
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  TuneAllocator();
  return Main(argc, argv);
}
