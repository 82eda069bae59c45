// An open file descriptor, closed in the end.
#ifndef ZRS_SIDECAR_TRANSPORT_DESCRIPTOR_H_
#define ZRS_SIDECAR_TRANSPORT_DESCRIPTOR_H_

#include <unistd.h>

#include <utility>

namespace zrs::transport {

class Descriptor {
 public:
  // `fd`: below 0 where there is none.
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(other.Release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }
  // Whoever calls this closes it.
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

}  // namespace zrs::transport

#endif  // ZRS_SIDECAR_TRANSPORT_DESCRIPTOR_H_
