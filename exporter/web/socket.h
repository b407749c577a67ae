// Binding a listening socket, with errors that say what to do.
#pragma once

#include <string_view>

#include "exporter/web/address.h"

namespace slosonde::exporter {

// Bound, non-blocking, not yet listening; the caller closes it. `role` leads the error ("listen"). A unix socket that
// nobody listens on any more is removed first; one that somebody does is `busy`. Its mode is 0660: owner and group.
Result<int> bind_socket(const Address& address, std::string_view role);

// Removes the unix socket's file if it is still the one that was bound.
void remove_socket_file(const Address& address, unsigned long inode);
// The file's inode number; 0: not there.
unsigned long socket_file_inode(const Address& address);

}  // namespace slosonde::exporter
