#include "sidecar/cli/process.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "filestorage/posix_file_system.h"
#include "sidecar/admin/admin_server.h"
#include "sidecar/cli/listeners.h"
#include "sidecar/cli/version.h"
#include "sidecar/runtime/asio_runtime.h"
#include "sidecar/runtime/inotify_watcher.h"
#include "sidecar/storage/identity.h"
#include "sidecar/storage/storage.h"
#include "sidecar/transport/grpc_dialer.h"
#include "spdlog/spdlog.h"

namespace zrs::cli {
namespace {

// Strands do no blocking work: two threads are enough for any number of storages, and let two of them go on at once.
constexpr int kStrandThreads = 2;
constexpr uint32_t kStateDirectoryMode = 0750;
constexpr uint32_t kSocketDirectoryMode = 0755;
constexpr absl::Duration kListenerGrace = absl::Seconds(2);

std::string MachineId() {
  auto id = filestorage::ReadWholeFile(filestorage::PosixFileSystem(), "/etc/machine-id", 4096);
  return id.ok() ? std::string(absl::StripAsciiWhitespace(*id)) : "";
}

// The default directory of sockets may be in /tmp, where another user could have made it first.
absl::Status CheckSocketDirectory(const std::string& directory) {
  struct stat info;
  if (stat(directory.c_str(), &info) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("look at the admin socket's directory ", directory));
  }
  if (info.st_uid == geteuid() || info.st_uid == 0) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat("the admin socket's directory ", directory,
                                                  " belongs to another user, who could take the socket's place; set "
                                                  "admin-socket in <sidecar>"));
}

class Process {
 public:
  explicit Process(const config::Settings& settings)
      : settings_(settings), work_(asio::make_work_guard(context_)), watcher_(context_) {}
  ~Process();

  absl::Status Start();
  void RunUntilStopped();

 private:
  absl::Status PrepareDirectories();
  void MakeStorages();
  storage::StorageOptions OptionsFor(const config::StorageSettings& from, runtime::Runtime& runtime) const;
  void OnSignal(int signal);
  void StopStorages();

  const config::Settings& settings_;
  std::unique_ptr<filestorage::File> lock_;
  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  asio::io_context main_context_;  // signals, and the end
  asio::signal_set signals_{main_context_};
  std::vector<std::thread> threads_;
  runtime::InotifyWatcher watcher_;
  std::unique_ptr<transport::Dialer> dialer_ = transport::MakeGrpcDialer();
  std::vector<std::unique_ptr<runtime::AsioRuntime>> runtimes_;
  std::vector<std::unique_ptr<storage::Storage>> storages_;
  Listeners listeners_;
  std::unique_ptr<admin::AdminServer> admin_;
  bool stopping_ = false;
  size_t running_ = 0;
};

absl::Status Process::PrepareDirectories() {
  filestorage::FileSystem& files = filestorage::PosixFileSystem();
  const std::string& state_dir = settings_.sidecar.state_dir;
  absl::Status made = files.CreateDirectories(state_dir, kStateDirectoryMode);
  if (!made.ok()) return made;
  const std::string lock_path = absl::StrCat(state_dir, "/zrs.lock");
  auto lock = files.OpenOrCreate(lock_path, 0600);
  if (!lock.ok()) return lock.status();
  absl::Status locked = (*lock)->LockExclusively();
  if (absl::IsUnavailable(locked)) {
    return absl::UnavailableError(absl::StrCat("another zrs already runs with the state directory ", state_dir,
                                               " (it holds ", lock_path, "); stop it first, or give this one its own"));
  }
  if (!locked.ok()) return locked;
  lock_ = *std::move(lock);
  const std::string socket_dir = filestorage::DirectoryOf(settings_.sidecar.admin_socket);
  made = files.CreateDirectories(socket_dir, kSocketDirectoryMode);
  return made.ok() ? CheckSocketDirectory(socket_dir) : made;
}

storage::StorageOptions Process::OptionsFor(const config::StorageSettings& from, runtime::Runtime& runtime) const {
  storage::StorageOptions options;
  options.name = from.name;
  options.path = from.path;
  options.upstream = from.replicate_from;
  options.source_name = from.source_name;
  options.state_path = absl::StrCat(settings_.sidecar.state_dir, "/", from.name, ".state");
  options.machine_id = MachineId();
  options.node_id = storage::RandomId(runtime);
  options.software = absl::StrCat("zrs ", kVersion);
  options.max_followers = from.max_followers;
  options.poll_interval = from.poll_interval;
  options.heartbeat_interval = from.keep_alive_delay;
  options.reconnect_most = from.reconnect_delay;
  options.reconnect_first = std::min(options.reconnect_first, options.reconnect_most);
  options.refused_delay = from.reconnect_delay;
  return options;
}

void Process::MakeStorages() {
  for (const config::StorageSettings& from : settings_.storages) {
    auto runtime = std::make_unique<runtime::AsioRuntime>(context_, absl::StrCat("zrs-io-", from.name));
    storage::StorageServices services{*runtime, watcher_, filestorage::PosixFileSystem(), *dialer_};
    storages_.push_back(storage::MakeStorage(OptionsFor(from, *runtime), services));
    runtimes_.push_back(std::move(runtime));
    listeners_.SetServing(from.name, false);
  }
}

absl::Status Process::Start() {
  absl::Status prepared = PrepareDirectories();
  if (!prepared.ok()) return prepared;
  MakeStorages();
  std::vector<storage::Storage*> storages;
  for (const auto& storage : storages_) storages.push_back(storage.get());
  for (int i = 0; i < kStrandThreads; ++i) threads_.emplace_back([this] { context_.run(); });
  absl::Status listening = listeners_.Start(settings_, storages);
  if (!listening.ok()) return listening;
  auto admin = admin::StartAdminServer(settings_.sidecar.admin_socket, storages, kVersion);
  if (!admin.ok()) return admin.status();
  admin_ = *std::move(admin);
  for (storage::Storage* storage : storages) {
    storage->Start([this, name = storage->name()](bool serving) { listeners_.SetServing(name, serving); });
  }
  spdlog::info("zrs {} is up with {} storage(s); admin socket {}", kVersion, storages_.size(),
               settings_.sidecar.admin_socket);
  return absl::OkStatus();
}

void Process::RunUntilStopped() {
  signals_.add(SIGTERM);
  signals_.add(SIGINT);
  const std::function<void(const asio::error_code&, int)> on_signal = [&](const asio::error_code& error, int signal) {
    if (error) return;
    OnSignal(signal);
    signals_.async_wait(on_signal);
  };
  signals_.async_wait(on_signal);
  const auto main_work = asio::make_work_guard(main_context_);
  main_context_.run();
}

void Process::OnSignal(int signal) {
  if (std::exchange(stopping_, true)) {
    spdlog::warn("a second signal: ending at once");
    spdlog::shutdown();
    std::_Exit(1);
  }
  spdlog::info("{}: stopping, with up to {} for followers to catch up", strsignal(signal),
               absl::FormatDuration(settings_.sidecar.stop_timeout));
  StopStorages();
}

void Process::StopStorages() {
  running_ = storages_.size();
  for (const auto& storage : storages_) {
    storage->Stop(settings_.sidecar.stop_timeout, [this] {
      asio::post(main_context_, [this] {
        if (--running_ == 0) main_context_.stop();
      });
    });
  }
}

// Storages that were started have stopped by now, so no stream of theirs is left.
Process::~Process() {
  listeners_.Shutdown(kListenerGrace);
  listeners_.Stop();
  admin_.reset();
  work_.reset();
  context_.stop();
  for (std::thread& thread : threads_) thread.join();
  storages_.clear();
  runtimes_.clear();
}

}  // namespace

absl::Status RunProcess(const config::Settings& settings) {
  std::signal(SIGPIPE, SIG_IGN);
  Process process(settings);
  absl::Status started = process.Start();
  if (!started.ok()) return started;
  process.RunUntilStopped();
  spdlog::info("zrs stopped");
  return absl::OkStatus();
}

}  // namespace zrs::cli
