# LightningDB::lightning_db (shared) and LightningDB::lightning_db_static.
get_filename_component(_lightning_db_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

include(CMakeFindDependencyMacro)
find_dependency(Threads)

if(NOT TARGET LightningDB::lightning_db)
  add_library(LightningDB::lightning_db SHARED IMPORTED)
  set_target_properties(LightningDB::lightning_db PROPERTIES
    IMPORTED_LOCATION "${_lightning_db_prefix}/lib/liblightning_db.so"
    IMPORTED_SONAME "liblightning_db.so.${LightningDB_VERSION_MAJOR}"
    INTERFACE_INCLUDE_DIRECTORIES "${_lightning_db_prefix}/include")

  add_library(LightningDB::lightning_db_static STATIC IMPORTED)
  set_target_properties(LightningDB::lightning_db_static PROPERTIES
    IMPORTED_LOCATION "${_lightning_db_prefix}/lib/liblightning_db.a"
    INTERFACE_INCLUDE_DIRECTORIES "${_lightning_db_prefix}/include"
    INTERFACE_LINK_LIBRARIES "Threads::Threads;${CMAKE_DL_LIBS};m")
endif()

unset(_lightning_db_prefix)
