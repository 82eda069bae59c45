// The operating system's own file system.
#ifndef ZRS_FILESTORAGE_POSIX_FILE_SYSTEM_H_
#define ZRS_FILESTORAGE_POSIX_FILE_SYSTEM_H_

#include "filestorage/file_system.h"

namespace zrs::filestorage {

// One for the whole process, never destroyed; any thread. Files are opened close-on-exec, and opening never blocks (a
// FIFO under a data file's name fails at the first read). In addition to file_system.h's errors, opening answers
// Aborted when the process or the system has no file descriptor left.
FileSystem& PosixFileSystem();

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_POSIX_FILE_SYSTEM_H_
