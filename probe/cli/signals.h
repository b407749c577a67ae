// SIGTERM, SIGINT and SIGHUP from the first moment on.
#pragma once

#include <csignal>

namespace slosonde::cli {

// Made first thing, before any thread: the signals that ask the process to stop or to reload wait, in this thread and
// those that it starts, instead of killing it. Once their handler is set, release() lets them come, to this thread
// alone.
class HeldSignals {
 public:
  HeldSignals() { set(SIG_BLOCK); }
  void release() { set(SIG_UNBLOCK); }

 private:
  static void set(int how) {
    sigset_t all;
    sigemptyset(&all);
    sigaddset(&all, SIGTERM);
    sigaddset(&all, SIGINT);
    sigaddset(&all, SIGHUP);
    pthread_sigmask(how, &all, nullptr);
  }
};

}  // namespace slosonde::cli
