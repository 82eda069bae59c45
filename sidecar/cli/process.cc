#include "sidecar/cli/process.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "filestorage/digest.h"
#include "filestorage/posix_file_system.h"
#include "sidecar/admin/admin_service.h"
#include "sidecar/cli/access.h"
#include "sidecar/cli/listeners.h"
#include "sidecar/cli/machine_id.h"
#include "sidecar/cli/process_lock.h"
#include "sidecar/cli/version.h"
#include "sidecar/monitoring/health_board.h"
#include "sidecar/monitoring/service_server.h"
#include "sidecar/monitoring/status_service.h"
#include "sidecar/runtime/asio_runtime.h"
#include "sidecar/runtime/command_runner.h"
#include "sidecar/runtime/inotify_watcher.h"
#include "sidecar/runtime/timer_queue.h"
#include "sidecar/storage/identity.h"
#include "sidecar/storage/storage.h"
#include "sidecar/transport/grpc_dialer.h"
#include "sidecar/transport/grpc_library.h"
#include "sidecar/transport/message_stream.h"
#include "spdlog/spdlog.h"

namespace zrs::cli {
namespace {

constexpr uint32_t kSocketDirectoryMode = 0755;

// Hosts that are clones of each other have another name at least.
std::string CopyId(const std::string& machine_id, const std::string& state_path) {
  char host[HOST_NAME_MAX + 1] = {};
  if (machine_id.empty() || ::gethostname(host, HOST_NAME_MAX) != 0) return "";
  return filestorage::DigestOf(absl::StrCat(machine_id, "\n", host, "\n", state_path)).ToBytes();
}

// The default directory of sockets may be in /tmp, where another user could have made it first.
absl::Status CheckSocketDirectory(const std::string& directory) {
  struct stat info;
  if (stat(directory.c_str(), &info) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("look at the admin socket's directory ", directory));
  }
  if (IsTrustedOwner(info.st_uid)) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat("the admin socket's directory ", directory,
                                                  " belongs to another user, who could take the socket's place; set "
                                                  "admin-socket in <sidecar>"));
}

class Process {
 public:
  explicit Process(const config::Settings& settings)
      : settings_(settings),
        work_(asio::make_work_guard(context_)),
        watch_work_(asio::make_work_guard(watch_context_)),
        watcher_(watch_context_) {}
  ~Process();

  absl::Status Start();
  void WatchSignals();
  void RunUntilStopped() { main_context_.run(); }

 private:
  absl::Status PrepareDirectories();
  void MakeStorages();
  absl::Status StartServers(const std::vector<storage::Storage*>& storages);
  absl::Status StartServer(absl::string_view key, const std::string& address, monitoring::ServiceServer::Access access,
                           transport::ServiceSet::Services services);
  storage::StorageOptions OptionsFor(const config::StorageSettings& from, runtime::Runtime& runtime) const;
  void OnSignal(int signal);
  void StopStorages();

  const config::Settings& settings_;
  std::unique_ptr<ProcessLock> lock_;
  using WorkGuard = asio::executor_work_guard<asio::io_context::executor_type>;
  asio::io_context context_{1};        // timers
  asio::io_context watch_context_{1};  // file notifications; a name that is looked up may be on a disk that is stuck
  WorkGuard work_;
  WorkGuard watch_work_;
  asio::io_context main_context_;  // signals, and the end
  asio::signal_set signals_{main_context_, SIGTERM, SIGINT};
  std::vector<std::thread> threads_;
  const std::shared_ptr<runtime::TimerQueue> timers_ = runtime::TimerQueue::Make(context_);
  runtime::InotifyWatcher watcher_;
  std::unique_ptr<transport::Dialer> dialer_ = transport::MakeGrpcDialer();
  std::vector<std::unique_ptr<runtime::AsioRuntime>> runtimes_;
  std::vector<std::unique_ptr<storage::Storage>> storages_;
  monitoring::HealthBoard health_;
  Listeners listeners_;
  std::vector<std::unique_ptr<monitoring::ServiceServer>> servers_;  // admin-socket, health-address
  bool stopping_ = false;
  size_t running_ = 0;
};

absl::Status Process::PrepareDirectories() {
  filestorage::FileSystem& files = filestorage::PosixFileSystem();
  const std::string& state_dir = settings_.sidecar.state_dir;
  absl::Status made = files.CreateDirectories(state_dir, kStateDirectoryMode);
  if (!made.ok()) return made;
  auto lock = ProcessLock::Take(state_dir);
  if (!lock.ok()) return lock.status();
  lock_ = *std::move(lock);
  const std::string socket_dir = filestorage::DirectoryOf(settings_.sidecar.admin_socket);
  made = files.CreateDirectories(socket_dir, kSocketDirectoryMode);
  return made.ok() ? CheckSocketDirectory(socket_dir) : made;
}

storage::StorageOptions Process::OptionsFor(const config::StorageSettings& from, runtime::Runtime& runtime) const {
  storage::StorageOptions options;
  options.name = from.name;
  options.path = from.path;
  options.upstreams = absl::StrSplit(from.replicate_from, ' ', absl::SkipEmpty());
  options.source_name = from.source_name;
  options.state_path = settings_.sidecar.StatePath(from.name);
  options.machine_id = MachineId();
  options.copy_id = CopyId(options.machine_id, options.state_path);
  options.node_id = storage::RandomId(runtime);
  options.software = absl::StrCat("zrs ", kVersion);
  options.blobs_external = from.blobs_external;
  options.max_followers = from.max_followers;
  options.inspect_rate = from.inspect_rate;
  options.scrub_interval = from.scrub_interval;
  options.scrub_rate = from.scrub_rate;
  options.index_interval = from.index_interval;
  options.poll_interval = from.poll_interval;
  options.keep_alive_delay = from.keep_alive_delay;
  options.max_lag = from.max_lag;
  options.keep_old = from.keep_old;
  if (!from.on_swap.empty()) {
    options.on_swap = [command = from.on_swap, name = from.name,
                       path = from.path](absl::AnyInvocable<void(absl::Status)> done) {
      runtime::RunShellCommand(command, {{"ZRS_STORAGE", name}, {"ZRS_PATH", path}}, std::move(done));
    };
  }
  if (!from.fence_command.empty()) {
    options.fence = [command = from.fence_command, name = from.name, path = from.path](
                        const std::string& upstream, absl::AnyInvocable<void(absl::Status)> done) {
      runtime::RunShellCommand(command, {{"ZRS_STORAGE", name}, {"ZRS_PATH", path}, {"ZRS_UPSTREAM", upstream}},
                               std::move(done));
    };
  }
  options.access = {.mode = from.mode, .owner = from.owner_id, .group = from.group_id};
  options.reconnect_most = from.reconnect_delay;
  options.reconnect_first = std::min(options.reconnect_first, options.reconnect_most);
  options.refused_delay = from.reconnect_delay;
  return options;
}

void Process::MakeStorages() {
  for (const config::StorageSettings& from : settings_.storages) {
    auto runtime = std::make_unique<runtime::AsioRuntime>(context_, timers_, absl::StrCat("zrs-io-", from.name));
    storage::StorageServices services{*runtime, watcher_, filestorage::PosixFileSystem(), *dialer_};
    storages_.push_back(storage::MakeStorage(OptionsFor(from, *runtime), services));
    runtimes_.push_back(std::move(runtime));
    health_.Set(from.name, false);
  }
}

absl::Status Process::StartServer(absl::string_view key, const std::string& address,
                                  monitoring::ServiceServer::Access access, transport::ServiceSet::Services services) {
  auto server = monitoring::ServiceServer::Start(address, access, std::move(services));
  if (!server.ok()) return absl::Status(server.status().code(), absl::StrCat(key, ": ", server.status().message()));
  health_.Attach(
      [target = server->get()](const std::string& service, bool serving) { target->SetServing(service, serving); });
  servers_.push_back(*std::move(server));
  return absl::OkStatus();
}

absl::Status Process::StartServers(const std::vector<storage::Storage*>& storages) {
  using Access = monitoring::ServiceServer::Access;
  transport::ServiceSet::Services services;
  services.push_back(monitoring::MakeStatusService(storages, kVersion));
  services.push_back(admin::MakeAdminService(storages));
  absl::Status started =
      StartServer("admin-socket", settings_.sidecar.admin_socket, Access::kThisUser, std::move(services));
  if (!started.ok() || settings_.sidecar.health_address.empty()) return started;
  services.clear();
  services.push_back(monitoring::MakeStatusService(storages, kVersion));
  return StartServer("health-address", settings_.sidecar.health_address, Access::kAsUmask, std::move(services));
}

absl::Status Process::Start() {
  absl::Status prepared = PrepareDirectories();
  if (!prepared.ok()) return prepared;
  transport::BringUpGrpc();
  MakeStorages();
  std::vector<storage::Storage*> storages;
  for (const auto& storage : storages_) storages.push_back(storage.get());
  threads_.emplace_back([this] { context_.run(); });
  threads_.emplace_back([this] { watch_context_.run(); });
  absl::Status listening = listeners_.Start(settings_, storages);
  if (!listening.ok()) return listening;
  listeners_.Attach(health_);
  absl::Status serving = StartServers(storages);
  if (!serving.ok()) return serving;
  for (storage::Storage* storage : storages) {
    storage->Start([this, name = storage->name()](bool healthy) { health_.Set(name, healthy); });
  }
  spdlog::info("zrs {} is up with {} storage(s); admin socket {}", kVersion, storages_.size(),
               settings_.sidecar.admin_socket);
  return absl::OkStatus();
}

void Process::WatchSignals() {
  signals_.async_wait([this](const asio::error_code& error, int signal) {
    if (error) return;
    OnSignal(signal);
    WatchSignals();
  });
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

// Storages that were started have stopped by now, so no stream of a follower's is left. One that only asked or looked
// may still be closing, and tells its storage's strand when it has: the dialer waits for that.
Process::~Process() {
  health_.Clear();
  listeners_.Shutdown(transport::kCloseGrace);
  listeners_.Stop();
  servers_.clear();
  context_.stop();
  watch_context_.stop();
  for (std::thread& thread : threads_) thread.join();
  dialer_.reset();
  storages_.clear();
  runtimes_.clear();
  timers_->Close();
}

}  // namespace

namespace {

// The process's own, its sockets and a few followers, and a storage's files with what a pack and an update of the index
// need beside them. gRPC aborts the process where it finds none left for itself, so with fewer nothing is begun.
constexpr rlim_t kFewestDescriptors = 27;
constexpr rlim_t kDescriptorsOfStorage = 12;

// A connection is a descriptor, and who comes when none is left is turned away (transport/acceptor.h). The soft limit
// is what it is for the sake of programs that call select().
absl::Status RaiseDescriptorLimit(size_t storages) {
  const rlim_t fewest = kFewestDescriptors + storages * kDescriptorsOfStorage;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return absl::OkStatus();
  if (limit.rlim_max < fewest) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the limit of open files is ", limit.rlim_max, ", and zrs needs at least ", fewest, " for ", storages,
        " storage(s) (and one for each follower): raise it with ulimit -n, or "
        "LimitNOFILE= in the service's unit"));
  }
  if (limit.rlim_cur == limit.rlim_max) return absl::OkStatus();
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    spdlog::warn("could not raise the limit of open files: {}", strerror(errno));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RunProcess(const config::Settings& settings, absl::FunctionRef<void()> on_up) try {
  std::signal(SIGPIPE, SIG_IGN);
  if (absl::Status enough = RaiseDescriptorLimit(settings.storages.size()); !enough.ok()) return enough;
  Process process(settings);
  absl::Status started = process.Start();
  if (!started.ok()) return started;
  process.WatchSignals();
  on_up();
  process.RunUntilStopped();
  spdlog::info("zrs stopped");
  return absl::OkStatus();
} catch (const std::system_error& error) {  // Asio's way to say that a descriptor or a thread is not to be had
  return absl::UnavailableError(
      absl::StrCat("cannot run: ", error.what(), "; raise the limits of open files and of threads of this user"));
}

}  // namespace zrs::cli
