// To be preloaded into a process: a disk on which each sync takes 5 ms longer. Each one adds a byte to the file that
// ZRS_SYNC_COUNTER names.
#include <dlfcn.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>

namespace {

void Delay() {
  static const int counter = [] {
    const char* path = getenv("ZRS_SYNC_COUNTER");
    return path == nullptr ? -1 : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  }();
  const timespec delay = {.tv_sec = 0, .tv_nsec = 5'000'000};
  nanosleep(&delay, nullptr);
  if (counter >= 0 && write(counter, ".", 1) != 1) abort();
}

int Real(const char* name, int descriptor) {
  return reinterpret_cast<int (*)(int)>(dlsym(RTLD_NEXT, name))(descriptor);
}

}  // namespace

extern "C" int fsync(int descriptor) {
  Delay();
  return Real("fsync", descriptor);
}

extern "C" int fdatasync(int descriptor) {
  Delay();
  return Real("fdatasync", descriptor);
}
