// As whom a process acts, and who logged in for it.
#pragma once

#include <cstdint>
#include <optional>

namespace luatrail::audit {

// A base of whatever has them: a record, an image, a process that runs, a finding's process. Nothing where a record
// says nothing; auid and session also when unset (4294967295).
struct Credentials {
    std::optional<std::uint32_t> uid, euid, auid, session;

    Credentials& credentials() { return *this; }
    const Credentials& credentials() const { return *this; }

    // What a later record says of the same process: what it leaves out stays.
    void learn(const Credentials& later) {
        uid = later.uid ? later.uid : uid;
        euid = later.euid ? later.euid : euid;
        auid = later.auid ? later.auid : auid;
        session = later.session ? later.session : session;
    }
};

template <class Archive>
void transfer(Archive& archive, Credentials& one) { // base/pack.hpp
    archive(one.uid, one.euid, one.auid, one.session);
}

} // namespace luatrail::audit
