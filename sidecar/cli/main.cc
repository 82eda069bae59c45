// zrs: parses the command line.
#include <malloc.h>

#include <CLI/CLI.hpp>
#include <string>

#include "sidecar/cli/commands.h"

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

  CLI::App* status = app.add_subcommand("status", "tell how each storage of a running zrs is doing");
  bool json = false;
  add_config(status);
  status->add_flag("--json", json, "as JSON, for programs");
  status->callback([&] { exit_code = zrs::cli::StatusCommand(config, json); });

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
