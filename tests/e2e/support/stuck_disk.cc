// To be preloaded into a process: a disk that is stuck. Each fsync and fdatasync of a file below $ZRS_STUCK_DIRECTORY
// waits for somebody to write to the pipe `stuck` in it, where there is one.
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

int Sync(const char* name, int descriptor) {
  const char* directory = getenv("ZRS_STUCK_DIRECTORY");
  const std::string stuck = std::string(directory) + "/stuck";
  char path[PATH_MAX];
  const ssize_t size = readlink(("/proc/self/fd/" + std::to_string(descriptor)).c_str(), path, sizeof(path));
  const bool is_below = size > 0 && std::string(path, static_cast<size_t>(size)).rfind(directory, 0) == 0;
  const int pipe = is_below ? open(stuck.c_str(), O_RDONLY | O_CLOEXEC) : -1;
  if (pipe >= 0) close(pipe);
  return reinterpret_cast<int (*)(int)>(dlsym(RTLD_NEXT, name))(descriptor);
}

}  // namespace

extern "C" int fsync(int descriptor) { return Sync("fsync", descriptor); }
extern "C" int fdatasync(int descriptor) { return Sync("fdatasync", descriptor); }
