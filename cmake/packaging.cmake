# What is installed where, and the packages made of it: `cpack -G DEB` or `cpack -G RPM` in the build directory.
include(GNUInstallDirs)

set(share ${CMAKE_INSTALL_DATADIR}/luatrail)
set(etc /etc) # auditd reads its plugins there, whatever the prefix

set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME main)
install(TARGETS luatrail RUNTIME COMPONENT main)
if(TARGET luatrail-rpm)
  install(TARGETS luatrail-rpm RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/luatrail COMPONENT rpm)
endif()
install(FILES config/interpreters.toml DESTINATION ${share})
install(DIRECTORY audit-rules DESTINATION ${share} FILES_MATCHING PATTERN "*.rules")
install(FILES docs/finding.schema.json DESTINATION ${share})
install(FILES README.md packaging/debian/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES config/luatrail.toml DESTINATION ${etc}/luatrail)
install(FILES config/plugins.d/luatrail.conf DESTINATION ${etc}/audit/plugins.d PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ)
install(FILES packaging/systemd/luatrail-inventory.path packaging/systemd/luatrail-inventory.service DESTINATION lib/systemd/system)
install(FILES packaging/systemd/luatrail.conf DESTINATION lib/sysusers.d)
# Empty, for the host's own: what is expected, and further interpreters.
install(DIRECTORY DESTINATION ${etc}/luatrail/baseline.d)
install(DIRECTORY DESTINATION ${etc}/luatrail/interpreters.d)
install(DIRECTORY DESTINATION /var/lib/luatrail DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)

# Manual pages and the changelog are compressed in packages, without the time in them.
find_program(GZIP gzip REQUIRED)
set(compressed)
file(GLOB pages CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR}/man man/*)
foreach(page ${pages})
  string(REGEX REPLACE ".*\\." "" section ${page})
  list(APPEND compressed ${CMAKE_CURRENT_BINARY_DIR}/packaging/${page}.gz)
  add_custom_command(OUTPUT packaging/${page}.gz DEPENDS man/${page}
                     COMMAND ${GZIP} -9nc ${CMAKE_CURRENT_SOURCE_DIR}/man/${page} >packaging/${page}.gz)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/packaging/${page}.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()
# Completions are the program's own description of its command line.
foreach(shell bash zsh fish)
  list(APPEND compressed ${CMAKE_CURRENT_BINARY_DIR}/packaging/completion.${shell})
  add_custom_command(OUTPUT packaging/completion.${shell} DEPENDS luatrail
                     COMMAND luatrail completion ${shell} >packaging/completion.${shell})
endforeach()
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/packaging/completion.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME luatrail)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/packaging/completion.zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions RENAME _luatrail)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/packaging/completion.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d RENAME luatrail.fish)
foreach(pair CHANGELOG.md=changelog packaging/debian/changelog=changelog.Debian)
  string(REPLACE "=" ";" pair ${pair})
  list(GET pair 0 source)
  list(GET pair 1 name)
  list(APPEND compressed ${CMAKE_CURRENT_BINARY_DIR}/packaging/${name}.gz)
  add_custom_command(OUTPUT packaging/${name}.gz DEPENDS ${source}
                     COMMAND ${GZIP} -9nc ${CMAKE_CURRENT_SOURCE_DIR}/${source} >packaging/${name}.gz)
endforeach()
set(changelogs ${CMAKE_CURRENT_BINARY_DIR}/packaging/changelog.gz ${CMAKE_CURRENT_BINARY_DIR}/packaging/changelog.Debian.gz)
install(FILES ${changelogs} DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES packaging/lintian/luatrail DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides)
if(TARGET luatrail-rpm)
  install(FILES ${changelogs} packaging/debian/copyright DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/luatrail-rpm COMPONENT rpm)
  install(FILES packaging/lintian/luatrail-rpm DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides COMPONENT rpm)
endif()
file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/packaging)
add_custom_target(packaged_files ALL DEPENDS ${compressed})

set(CPACK_PACKAGE_NAME luatrail)
set(CPACK_PACKAGE_VENDOR luatrail)
set(CPACK_PACKAGE_CONTACT "the luatrail developers <root@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "find Lua run outside of expected packages in the audit trail")
set(CPACK_PACKAGE_DESCRIPTION
"A plugin of auditd and a replayer of saved audit logs. Both join audit
records into events, follow processes and files through them, and report each
run of Lua or LuaJIT that nobody expected, or that followed a dropped script or
a memory artifact (MITRE ATT&CK T1059.011, analytic AN0279).")
set(CPACK_RESOURCE_FILE_LICENSE ${CMAKE_CURRENT_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_GENERATOR DEB)
# /etc and /var/lib are where this is at home, below no prefix.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)

set(packaging ${CMAKE_CURRENT_SOURCE_DIR}/packaging)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
# The helper for rpm's databases is a package of its own: few hosts of dpkg need librpm.
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL main)
if(TARGET luatrail-rpm)
  list(APPEND CPACK_COMPONENTS_ALL rpm)
endif()
set(CPACK_DEBIAN_MAIN_PACKAGE_NAME luatrail)
set(CPACK_DEBIAN_MAIN_PACKAGE_RECOMMENDS auditd)
set(CPACK_DEBIAN_MAIN_PACKAGE_SUGGESTS "luatrail-rpm, rsyslog | system-log-daemon")
set(CPACK_COMPONENT_MAIN_DESCRIPTION ${CPACK_PACKAGE_DESCRIPTION})
set(CPACK_DEBIAN_RPM_PACKAGE_NAME luatrail-rpm)
set(CPACK_COMPONENT_RPM_DESCRIPTION "Lists an rpm database for luatrail's inventory of another system.")
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_MAIN_PACKAGE_CONTROL_EXTRA ${packaging}/debian/conffiles ${packaging}/debian/preinst ${packaging}/debian/postinst
                                       ${packaging}/debian/prerm ${packaging}/debian/postrm)

set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_RELEASE 1)
set(CPACK_RPM_PACKAGE_SUMMARY "Find Lua run outside of expected packages in the audit trail")
set(CPACK_RPM_PACKAGE_DESCRIPTION ${CPACK_PACKAGE_DESCRIPTION})
set(CPACK_RPM_PACKAGE_LICENSE Apache-2.0)
set(CPACK_RPM_PACKAGE_GROUP "System Environment/Daemons")
set(CPACK_RPM_PACKAGE_AUTOREQ ON)
set(CPACK_RPM_PACKAGE_SUGGESTS audit)
set(CPACK_RPM_USER_FILELIST "%config(noreplace) /etc/luatrail/luatrail.toml"
                            "%config(noreplace) %attr(0640, root, root) /etc/audit/plugins.d/luatrail.conf"
                            "%dir %attr(1770, root, luatrail) /var/lib/luatrail")
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION /etc /etc/audit /etc/audit/plugins.d /usr/share/man /usr/share/man/man1
    /usr/share/man/man5 /usr/share/man/man7 /usr/share/man/man8 /usr/lib/systemd /usr/lib/systemd/system /usr/lib/sysusers.d /usr/share/bash-completion /usr/share/bash-completion/completions
    /usr/share/zsh /usr/share/zsh/vendor-completions /usr/share/fish /usr/share/fish/vendor_completions.d
    /usr/share/lintian /usr/share/lintian/overrides /var /var/lib)
set(CPACK_RPM_PRE_INSTALL_SCRIPT_FILE ${packaging}/rpm/pre)
set(CPACK_RPM_POST_INSTALL_SCRIPT_FILE ${packaging}/rpm/post)
set(CPACK_RPM_PRE_UNINSTALL_SCRIPT_FILE ${packaging}/rpm/preun)
set(CPACK_RPM_POST_UNINSTALL_SCRIPT_FILE ${packaging}/rpm/postun)
include(CPack)
