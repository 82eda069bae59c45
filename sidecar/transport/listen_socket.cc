#include "sidecar/transport/listen_socket.h"

#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sidecar/address/address.h"

namespace zrs::transport {
namespace {

using address::Address;
using address::ParseAddress;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  const int fd_;
};

absl::Status CannotListen(absl::string_view address, absl::string_view cause) {
  return absl::UnavailableError(absl::StrCat("cannot listen on ", address, ": ", cause));
}

std::string Cause(int error) {
  if (error == EADDRINUSE) return "the address is in use by another process";
  if (error == EADDRNOTAVAIL) return "this host has no such address";
  if (error == EACCES) return "permission denied";
  return std::strerror(error);
}

// 0, or why not.
int TryBind(const addrinfo& candidate) {
  const Descriptor socket_fd(socket(candidate.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket_fd.get() < 0) return errno;
  const int on = 1;
  // As gRPC binds: past connections of a server that was here before do not count.
  setsockopt(socket_fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  return bind(socket_fd.get(), candidate.ai_addr, candidate.ai_addrlen) == 0 ? 0 : errno;
}

absl::Status CheckHostAndPort(const Address& wanted, const std::string& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(wanted.host.empty() ? nullptr : wanted.host.c_str(),
                                std::to_string(wanted.port).c_str(), &hints, &found);
  if (error != 0) return CannotListen(address, absl::StrCat("the host is not known: ", gai_strerror(error)));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(found, &freeaddrinfo);
  int other_error = 0;
  bool any = false;
  for (const addrinfo* candidate = found; candidate != nullptr; candidate = candidate->ai_next) {
    const int bind_error = TryBind(*candidate);
    // In use on one of a host's addresses is in use. Anything else on one of them is forgiven (a host without IPv6), as
    // gRPC does.
    if (bind_error == EADDRINUSE) return CannotListen(address, Cause(bind_error));
    if (bind_error != 0) other_error = bind_error;
    any = any || bind_error == 0;
  }
  return any ? absl::OkStatus() : CannotListen(address, Cause(other_error));
}

sockaddr_un SocketAddress(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  return address;
}

// 0 when somebody answers at the socket.
int TryConnect(const std::string& path) {
  const Descriptor socket_fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket_fd.get() < 0) return errno;
  const sockaddr_un address = SocketAddress(path);
  const int result = connect(socket_fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  // A full queue of connections is somebody's too.
  return result == 0 || errno == EAGAIN ? 0 : errno;
}

absl::Status CheckDirectory(const std::string& path, const std::string& address) {
  const size_t slash = path.rfind('/');
  const std::string directory = slash == 0 ? "/" : path.substr(0, slash);
  if (access(directory.c_str(), W_OK | X_OK) == 0) return absl::OkStatus();
  return CannotListen(address, absl::StrCat("directory ", directory, ": ", Cause(errno)));
}

absl::Status CheckSocketFile(const std::string& path, const std::string& address) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return CheckDirectory(path, address);
    return CannotListen(address, Cause(errno));
  }
  if (!S_ISSOCK(info.st_mode)) return CannotListen(address, "there is a file that is no socket; move it away");
  const int error = TryConnect(path);
  if (error == 0) return CannotListen(address, Cause(EADDRINUSE));
  if (error != ECONNREFUSED) return CannotListen(address, Cause(error));
  // Left behind by a process that was killed.
  if (unlink(path.c_str()) != 0 && errno != ENOENT) {
    return CannotListen(address, absl::StrCat("a socket that nobody listens on cannot be removed: ", Cause(errno)));
  }
  return CheckDirectory(path, address);
}

}  // namespace

absl::Status CheckListenAddress(const std::string& address) {
  const absl::StatusOr<Address> parsed = ParseAddress(address, /*least_port=*/0);
  if (!parsed.ok()) return parsed.status();
  return parsed->is_unix() ? CheckSocketFile(parsed->path, address) : CheckHostAndPort(*parsed, address);
}

SocketFile::SocketFile(const std::string& address) {
  const absl::StatusOr<Address> parsed = ParseAddress(address, /*least_port=*/0);
  if (!parsed.ok() || !parsed->is_unix()) return;
  path_ = parsed->path;
  identity_ = Identify(path_);
}

SocketFile::~SocketFile() {
  const std::optional<Identity> present = identity_ ? Identify(path_) : std::nullopt;
  if (present && present->device == identity_->device && present->inode == identity_->inode) unlink(path_.c_str());
}

std::optional<SocketFile::Identity> SocketFile::Identify(const std::string& path) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0 || !S_ISSOCK(info.st_mode)) return std::nullopt;
  return Identity{info.st_dev, info.st_ino};
}

}  // namespace zrs::transport
