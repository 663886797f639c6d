"""Points that two pictures share: by these a part of a picture is found among all others, whatever is around it."""
