// zrs: parses the command line.
#include <malloc.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "proto/zrs/v1/admin.pb.h"
#include "sidecar/cli/check_config.h"
#include "sidecar/cli/commands.h"
#include "sidecar/cli/compare_command.h"
#include "sidecar/cli/index_command.h"
#include "sidecar/cli/log_command.h"
#include "sidecar/cli/output.h"
#include "sidecar/cli/promote_command.h"
#include "sidecar/cli/status_command.h"
#include "sidecar/cli/verify_command.h"
#include "sidecar/cli/version.h"
#include "sidecar/config/nearest.h"
#include "sidecar/config/values.h"

namespace zrs::cli {
namespace {

// Batches of 512 KiB come and go: with glibc's defaults each is a mapping of its own, whose pages are faulted in anew,
// and each thread keeps an arena with gaps of its own. `tests/bench/run.sh --only copy` tells the difference in time
// and memory.
void TuneAllocator() {
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 32 << 20);
  mallopt(M_ARENA_MAX, 1);
}

// gRPC's own choice lets all threads that wait for the network share one set of descriptors: whichever polls it hands
// each event on to the thread that it is for, and its turn at polling to another one. With `poll` each waits for what
// is its own. That saves a commit some 0.1 ms on its way, and an idle process a third of its switches
// (`tests/bench/README.md`). And Debian's abseil looks for deadlocks at each lock that gRPC takes.
void TuneLibraries() {
  setenv("GRPC_POLL_STRATEGY", "poll", /*replace=*/0);
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
}

// What is parsed, and what came of it. Options of one command alone live in what its callback holds.
struct CommandLine {
  CLI::App app{"zrs, the Zope Replication Service: live, byte-for-byte copies of a ZODB FileStorage on other hosts."};
  std::string config = "/etc/zrs/zrs.conf";
  int exit_code = 0;

  // A command with --config.
  CLI::App* Add(const std::string& name, const std::string& what) {
    CLI::App* command = app.add_subcommand(name, what);
    command->add_option("--config", config, "the configuration file")->capture_default_str();
    return command;
  }
};

void AddLifecycle(CommandLine& line) {
  line.Add("run", "replicate, in the foreground, until SIGTERM or SIGINT")->callback([&line] {
    line.exit_code = RunCommand(line.config);
  });
  line.Add("start", "replicate in the background; returns when it is up")->callback([&line] {
    line.exit_code = StartCommand(line.config);
  });
  line.Add("stop", "stop what runs, and wait until it has stopped")->callback([&line] {
    line.exit_code = StopCommand(line.config);
  });
}

void AddQuestions(CommandLine& line) {
  CLI::App* status = line.Add("status", "tell how each storage of a running zrs is doing");
  const auto options = std::make_shared<StatusOptions>();
  status->add_flag("--json", options->json, "as JSON, for programs");
  status->add_flag("--watch", options->watch, "again each second, until it is interrupted");
  status->callback([&line, options] { line.exit_code = StatusCommand(line.config, *options); });

  CLI::App* health = line.Add("health", "for scripts: exit code 0 when it is SERVING, else 1");
  const auto service = std::make_shared<std::string>();
  health->add_option("--service", *service,
                     "NAME of one storage (default: the process itself, however its storages are)");
  health->callback([&line, service] { line.exit_code = HealthCommand(line.config, *service); });
}

// CLI11's own tells its upper limit too, in 300 digits.
CLI::Validator AboveZero() {
  return {[](const std::string& text) {
            double number = 0;
            const bool valid = absl::SimpleAtod(text, &number) && number > 0;
            return valid ? std::string() : absl::StrCat(text, " is not a number above 0");
          },
          ""};
}

void AddWait(CommandLine& line) {
  CLI::App* wait =
      line.Add("wait", "on a primary: wait until followers have what is committed now, durable on their disks");
  const auto options = std::make_shared<WaitOptions>();
  CLI::Option* storage = wait->add_option("--storage", options->storage, "this storage alone");
  const auto all = std::make_shared<bool>(false);
  wait->add_flag("--all", *all, "all storages (the default)")->excludes(storage);
  wait->add_option("--replicas", options->replicas, "so many followers (default: all connected, at least one)")
      ->check(AboveZero());
  wait->add_option("--timeout", options->timeout, "seconds to wait at most (default: no limit)")->check(AboveZero());
  wait->callback([&line, options, all] { line.exit_code = WaitCommand(line.config, *options); });
}

void AddPauses(CommandLine& line) {
  const auto add = [&line](const char* name, const char* what, int (*run)(const std::string&, const std::string&)) {
    CLI::App* command = line.Add(name, what);
    const auto storage = std::make_shared<std::string>();
    CLI::Option* named = command->add_option("--storage", *storage, "this storage alone");
    const auto all = std::make_shared<bool>(false);
    command->add_flag("--all", *all, "all secondaries (the default)")->excludes(named);
    command->callback([&line, storage, all, run] { line.exit_code = run(line.config, *storage); });
  };
  add("pause", "on a secondary: hold the copy as it is, for a backup of it, until zrs resume", PauseCommand);
  add("resume", "let a copy that was paused go on", ResumeCommand);
}

void AddPromote(CommandLine& line) {
  CLI::App* promote = line.Add("promote", "make a secondary the primary, when the primary is lost or stopped");
  const auto options = std::make_shared<PromoteOptions>();
  CLI::Option* storage = promote->add_option("--storage", options->storage, "this storage");
  promote->add_flag("--all", options->all, "all secondaries")->excludes(storage);
  CLI::Option* wait = promote->add_flag("--wait-for-upstream", options->wait_for_upstream,
                                        "wait until its upstream was stopped in order, with everything here");
  promote
      ->add_flag("--force", options->force, "also while its upstream can be reached: there may be two primaries then")
      ->excludes(wait);
  promote->callback([&line, options] { line.exit_code = PromoteCommand(line.config, *options); });

  CLI::App* demote = line.Add("demote", "make a primary that was promoted a secondary of what its configuration names");
  const auto demoted = std::make_shared<std::string>();
  demote->add_option("--storage", *demoted, "this storage (default: the only one there is)");
  demote->callback([&line, demoted] { line.exit_code = DemoteCommand(line.config, *demoted); });

  CLI::App* adopt =
      line.Add("adopt", "say which database a primary's file is, where its state does not tell, or tells of another");
  const auto adopted = std::make_shared<std::string>();
  const auto as = std::make_shared<v1::AdoptRequest::As>(v1::AdoptRequest::AS_PROVED);
  adopt->add_option("--storage", *adopted, "this storage (default: the only one there is)");
  CLI::Option* restored = adopt->add_flag_callback(
      "--restored", [as] { *as = v1::AdoptRequest::AS_RESTORED; },
      "the file was restored from a backup, and is to be what counts");
  adopt
      ->add_flag_callback(
          "--new-database", [as] { *as = v1::AdoptRequest::AS_NEW_DATABASE; },
          "a database of its own, whose secondaries begin anew")
      ->excludes(restored);
  adopt->callback([&line, adopted, as] { line.exit_code = AdoptCommand(line.config, *adopted, *as); });
}

// As in the configuration: "20MB", or a number of bytes.
CLI::Validator IsRate() {
  return {[](std::string& text) {
            const absl::StatusOr<uint64_t> rate = config::ParseByteSize(text);
            if (!rate.ok()) return std::string(rate.status().message());
            text = absl::StrCat(*rate);
            return std::string();
          },
          "BYTES", "rate"};
}

void AddComparing(CommandLine& line) {
  CLI::App* compare =
      line.Add("compare", "on a secondary: compare the copy with its upstream's file, while both go on");
  const auto options = std::make_shared<CompareOptions>();
  compare->add_option("--storage", options->storage, "this storage (default: the only one there is)");
  compare->add_option("--rate", options->rate, "bytes per second at most, as 20MB (default: as fast as it goes)")
      ->transform(IsRate());
  compare->add_flag("--json", options->json, "as JSON, for programs");
  compare->callback([&line, options] { line.exit_code = CompareCommand(line.config, *options); });

  CLI::App* resync = line.Add(
      "resync", "on a secondary that has diverged: give up what its upstream does not have, saved before, and follow");
  const auto resynced = std::make_shared<ResyncOptions>();
  resync->add_option("--storage", resynced->storage, "this storage (default: the only one there is)");
  resync->add_flag("--dry-run", resynced->dry_run, "only say what would be given up, and where it would be saved");
  resync->add_flag("--json", resynced->json, "as JSON, for programs");
  resync->callback([&line, resynced] { line.exit_code = ResyncCommand(line.config, *resynced); });
}

void AddChecks(CommandLine& line) {
  CLI::App* check = line.app.add_subcommand(
      "check-config", "print the effective settings, and what is wrong with them or with this host; changes nothing");
  const auto check_json = std::make_shared<bool>(false);
  CLI::Option* positional = check->add_option("FILE", line.config, "the configuration file")->capture_default_str();
  check->add_option("--config", line.config, "the same")->excludes(positional);
  check->add_flag("--json", *check_json, "as JSON, for programs");
  check->callback([&line, check_json] { line.exit_code = CheckConfigCommand(line.config, *check_json); });

  CLI::App* verify = line.app.add_subcommand("verify", "check a data file from beginning to end; it is only read");
  const auto file = std::make_shared<std::string>();
  const auto verify_json = std::make_shared<bool>(false);
  verify->add_option("FILE", *file, "the data file: a primary's, or a copy")->required();
  verify->add_flag("--json", *verify_json, "as JSON, for programs");
  verify->callback([&line, file, verify_json] { line.exit_code = VerifyCommand(*file, *verify_json); });

  line.app.add_subcommand("version", "print the version")->callback([&line] { line.exit_code = VersionCommand(); });
}

CLI::Validator IsTid() {
  return {[](const std::string& text) {
            return ParseTid(text).has_value() ? std::string()
                                              : absl::StrCat(text, " is not a transaction id of 16 hex digits");
          },
          "TID"};
}

void AddFileTools(CommandLine& line) {
  CLI::App* index = line.app.add_subcommand("index", "write Data.fs.index, with which ZODB opens a data file at once");
  const auto index_options = std::make_shared<IndexCommandOptions>();
  index->add_option("FILE", index_options->path, "the data file; it is only read")->required();
  index->add_flag("--update", index_options->update, "go on from the index that is there");
  index->add_flag("--json", index_options->json, "as JSON, for programs");
  index->callback([&line, index_options] { line.exit_code = IndexCommand(*index_options); });

  CLI::App* log = line.app.add_subcommand("log", "list the transactions of a data file or of a saved tail of one");
  const auto log_options = std::make_shared<LogCommandOptions>();
  log->add_option("FILE", log_options->path, "the data file, or Data.fs.tr0 and so on")->required();
  log->add_option("--from", log_options->from, "from this transaction id on (default: the first)")->check(IsTid());
  log->add_option("--to", log_options->to, "up to this one (default: the last)")->check(IsTid());
  log->add_option("--limit", log_options->limit, "so many at most (default: all)")->check(AboveZero());
  log->add_flag("--json", log_options->json, "as JSON, one object in each line, for programs");
  log->callback([&line, log_options] { line.exit_code = LogCommand(*log_options); });
}

std::vector<std::string> CommandNames(CommandLine& line) {
  std::vector<std::string> names;
  for (const CLI::App* command : line.app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

constexpr size_t kNamesInALine = 10;

// CLI11 would only say that a command is required.
absl::Status NoCommand(const std::vector<std::string>& known) {
  std::string text = "no command (see zrs --help); there are";
  size_t line = kNamesInALine;
  for (const std::string& name : known) {
    const bool fits = line < kNamesInALine;
    absl::StrAppend(&text, fits ? ", " : &name == known.data() ? "\n" : ",\n", name);
    line = fits ? line + 1 : 1;
  }
  return absl::InvalidArgumentError(text);
}

absl::Status CheckCommand(const std::string& name, const std::vector<std::string>& known) {
  if (name[0] == '-' || std::find(known.begin(), known.end(), name) != known.end()) return absl::OkStatus();
  const std::vector<absl::string_view> views(known.begin(), known.end());
  const absl::string_view near = config::Nearest(name, views);
  return absl::InvalidArgumentError(absl::StrCat("there is no command ", name, "; ",
                                                 near.empty() ? absl::StrCat("there are ", absl::StrJoin(known, ", "))
                                                              : absl::StrCat("did you mean ", near, "?")));
}

int Main(int argc, char** argv) {
  CommandLine line;
  line.app.require_subcommand(1);
  line.app.set_version_flag("--version", absl::StrCat("zrs ", kVersion), "print the version and exit");
  AddLifecycle(line);
  AddQuestions(line);
  AddWait(line);
  AddPauses(line);
  AddPromote(line);
  AddComparing(line);
  AddChecks(line);
  AddFileTools(line);
  const std::vector<std::string> names = CommandNames(line);
  const absl::Status known = argc > 1 ? CheckCommand(argv[1], names) : NoCommand(names);
  if (!known.ok()) return Complain(known, kUsage);
  try {
    line.app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help is a success; everything else is wrong usage.
    return line.app.exit(error) == 0 ? 0 : kUsage;
  }
  return line.exit_code;
}

}  // namespace
}  // namespace zrs::cli

int main(int argc, char** argv) {
  zrs::cli::TuneAllocator();
  zrs::cli::TuneLibraries();
  return zrs::cli::Main(argc, argv);
}
