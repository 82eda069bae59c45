// To be preloaded into a process: a slower disk, and one that tells what was written and synced, and when.
//
//   ZRS_SHIM_DELAY_MS=5     each fsync and fdatasync takes so much longer
//   ZRS_SHIM_SYNCS=FILE     each adds a byte to FILE
//   ZRS_SHIM_TRACE=FILE     what is done to files named Data.fs: a Record each, to FILE
#include <dlfcn.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

struct Record {
  int64_t nanoseconds;  // CLOCK_MONOTONIC, when it was done
  int64_t offset;
  int64_t size;     // 0: a sync; -1: the file was cut off, or made longer, there
  int64_t byte_17;  // of what was written; 0 of less
};

int OpenFor(const char* variable) {
  const char* path = getenv(variable);
  return path == nullptr ? -1 : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

bool IsDataFile(int descriptor) {
  char link[64];
  char path[4096];
  snprintf(link, sizeof(link), "/proc/self/fd/%d", descriptor);
  const ssize_t size = readlink(link, path, sizeof(path));
  constexpr char kName[] = "/Data.fs";
  constexpr ssize_t kSize = sizeof(kName) - 1;
  return size >= kSize && memcmp(path + size - kSize, kName, kSize) == 0;
}

void Trace(int descriptor, off_t offset, int64_t size, int64_t byte_17 = 0) {
  static const int trace = OpenFor("ZRS_SHIM_TRACE");
  if (trace < 0 || !IsDataFile(descriptor)) return;
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  const Record record = {now.tv_sec * 1'000'000'000 + now.tv_nsec, offset, size, byte_17};
  if (write(trace, &record, sizeof(record)) != sizeof(record)) abort();
}

template <typename Function>
Function* Real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

int Sync(const char* name, int descriptor) {
  static const int counter = OpenFor("ZRS_SHIM_SYNCS");
  static const long delay = [] {
    const char* milliseconds = getenv("ZRS_SHIM_DELAY_MS");
    return milliseconds == nullptr ? 0 : atol(milliseconds);
  }();
  const timespec pause = {delay / 1000, delay % 1000 * 1'000'000};
  if (delay > 0) nanosleep(&pause, nullptr);
  const int result = Real<int(int)>(name)(descriptor);
  if (counter >= 0 && write(counter, ".", 1) != 1) abort();
  Trace(descriptor, 0, 0);
  return result;
}

ssize_t Write(const char* name, int descriptor, const void* bytes, size_t size, off_t offset) {
  const ssize_t written = Real<ssize_t(int, const void*, size_t, off_t)>(name)(descriptor, bytes, size, offset);
  if (written > 0) Trace(descriptor, offset, written, written > 16 ? static_cast<const char*>(bytes)[16] : 0);
  return written;
}

int Truncate(const char* name, int descriptor, off_t size) {
  const int result = Real<int(int, off_t)>(name)(descriptor, size);
  if (result == 0) Trace(descriptor, size, -1);
  return result;
}

}  // namespace

extern "C" int fsync(int descriptor) { return Sync("fsync", descriptor); }
extern "C" int fdatasync(int descriptor) { return Sync("fdatasync", descriptor); }
extern "C" ssize_t pwrite(int descriptor, const void* bytes, size_t size, off_t offset) {
  return Write("pwrite", descriptor, bytes, size, offset);
}
extern "C" int ftruncate(int descriptor, off_t size) { return Truncate("ftruncate", descriptor, size); }
extern "C" int ftruncate64(int descriptor, off_t size) { return Truncate("ftruncate64", descriptor, size); }
extern "C" ssize_t pwrite64(int descriptor, const void* bytes, size_t size, off_t offset) {
  return Write("pwrite64", descriptor, bytes, size, offset);
}
