// libcap-ng's capng_change_id(), which nobody here calls, looks users up by name. In a static
// program that brings in the name service switch, which loads libraries of the file system it finds
// itself in: after the pivot, the container's. These two answer in its place: no such user.
#include <grp.h>
#include <pwd.h>

#include <cerrno>

extern "C" passwd* getpwuid(uid_t /*uid*/) {
  errno = ENOSYS;
  return nullptr;
}

extern "C" int initgroups(const char* /*user*/, gid_t /*group*/) {
  errno = ENOSYS;
  return -1;
}
