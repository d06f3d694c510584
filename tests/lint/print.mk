# print.mk: the lists of rooms.mk for shell scripts.
rooms: ; @echo $(ROOMS)
arrows-%: ; @echo $* $(uses_$*)
